# `cpack --config BUILD/CPackConfig.cmake` makes Debian packages of the parts that install.cmake
# names: netfleet (dispatcher with the embedded worker), netfleet-worker, netfleet-devsim.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME netfleet)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "netfleet maintainers <netfleet@localhost>" CACHE STRING
    "Who maintains the Debian packages: NAME <ADDRESS>")
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_STRIP_FILES ON)
# Configuration lies in /etc, beside the prefix.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
    GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/scripts/cmake/debian_files.cmake)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENTS_ALL dispatcher worker devsim)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

function(netfleet_package component name)
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(scripts ${CMAKE_SOURCE_DIR}/scripts/debian/${name})
  if(EXISTS ${scripts})
    file(GLOB scripts CONFIGURE_DEPENDS ${scripts}/*)
    set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA ${scripts} PARENT_SCOPE)
    set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS adduser PARENT_SCOPE)
  endif()
endfunction()

netfleet_package(dispatcher netfleet)
set(CPACK_COMPONENT_DISPATCHER_DESCRIPTION "commands on very many network devices over SSH
Runs commands and configuration on many devices at once, prints every device's
output in the order of the list, stores it, and hands the sessions to worker
processes where one machine is not enough.")
netfleet_package(worker netfleet-worker)
set(CPACK_COMPONENT_WORKER_DESCRIPTION "SSH sessions for a netfleet dispatcher
Joins a dispatcher (netfleet run --listen) over ZeroMQ, encrypted where it is
on another machine, and carries hundreds of sessions to network devices.")
netfleet_package(devsim netfleet-devsim)
set(CPACK_COMPONENT_DEVSIM_DESCRIPTION "simulated network devices, for tests
An SSH server that plays network devices, well or badly.")

include(CPack)

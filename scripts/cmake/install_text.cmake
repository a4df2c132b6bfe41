# Part of an install script, which sets destination, file, written and bindir; see install.cmake.
# What lies under /usr is configured in /etc, by the Filesystem Hierarchy Standard.
set(BINDIR "${CMAKE_INSTALL_PREFIX}/${bindir}")
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(SYSCONFDIR /etc)
else()
  set(SYSCONFDIR "${CMAKE_INSTALL_PREFIX}/etc")
endif()
string(REGEX REPLACE "^etc/" "${SYSCONFDIR}/" destination "${destination}")
cmake_path(ABSOLUTE_PATH destination BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}")
cmake_path(GET file FILENAME name)
configure_file("${file}" "${written}/${name}" @ONLY)
file(INSTALL "${written}/${name}" DESTINATION "${destination}")

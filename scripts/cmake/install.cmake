# What `cmake --install` puts where, in the parts that are packages, too (package.cmake): dispatcher,
# worker, devsim. Units and what they read name places, so these files are written when the prefix is
# known: `cmake --install BUILD --prefix /opt/netfleet` is right, too.


# A file with @BINDIR@ and @SYSCONFDIR@ in it. A destination below etc/ is below @SYSCONFDIR@.
function(netfleet_install_text component destination file)
  install(CODE "
    set(destination \"${destination}\")
    set(file \"${CMAKE_SOURCE_DIR}/${file}\")
    set(written \"${CMAKE_BINARY_DIR}/install\")
    set(bindir \"${CMAKE_INSTALL_BINDIR}\")
    include(\"${CMAKE_SOURCE_DIR}/scripts/cmake/install_text.cmake\")"
    COMPONENT ${component})
endfunction()

# The parts' common shape: program, manual page, documents, completions, under the package's name.
function(netfleet_install_part component program)
  install(TARGETS ${program} RUNTIME COMPONENT ${component})
  install(FILES LICENSE CHANGELOG.md COMPONENT ${component}
          DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${program})
  install(FILES docs/man/${program}.1 COMPONENT ${component}
          DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  # Each file completes both programs; shells look for it by the name of the program.
  install(FILES scripts/completion/netfleet.bash RENAME ${program} COMPONENT ${component}
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES scripts/completion/_netfleet RENAME _${program} COMPONENT ${component}
          DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
  install(FILES scripts/completion/netfleet.fish RENAME ${program}.fish COMPONENT ${component}
          DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endfunction()

netfleet_install_part(dispatcher netfleet)
install(TARGETS netfleet_whole RUNTIME COMPONENT dispatcher
        DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/netfleet)
install(FILES README.md docs/API.md docs/DESIGN.md docs/PLATFORMS.md docs/PROTOCOL.md
              docs/performance.md
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/netfleet COMPONENT dispatcher)
install(FILES dispatcher/api/grafana-dashboard.json dispatcher/api/openapi.json
        DESTINATION ${CMAKE_INSTALL_DATADIR}/netfleet COMPONENT dispatcher)
install(FILES dispatcher/systemd/netfleet.sysusers.conf RENAME netfleet.conf
        DESTINATION lib/sysusers.d COMPONENT dispatcher)
netfleet_install_text(dispatcher lib/systemd/system dispatcher/systemd/netfleet-sweep@.service)
netfleet_install_text(dispatcher lib/systemd/system dispatcher/systemd/netfleet-sweep@.timer)
netfleet_install_text(dispatcher lib/systemd/system dispatcher/systemd/netfleet.service)
netfleet_install_text(dispatcher etc/netfleet dispatcher/systemd/serve.conf)
foreach(example nightly.conf nightly.yaml)
  netfleet_install_text(dispatcher ${CMAKE_INSTALL_DATADIR}/doc/netfleet/examples
                        dispatcher/systemd/${example})
endforeach()

netfleet_install_part(worker netfleet-worker)
install(FILES worker/systemd/netfleet-worker.sysusers.conf RENAME netfleet-worker.conf
        DESTINATION lib/sysusers.d COMPONENT worker)
netfleet_install_text(worker lib/systemd/system worker/systemd/netfleet-worker.service)
netfleet_install_text(worker etc/netfleet-worker worker/systemd/worker.conf)

# The simulator: for who asks for it, cmake --install BUILD --component devsim.
install(TARGETS devsim RUNTIME COMPONENT devsim EXCLUDE_FROM_ALL)

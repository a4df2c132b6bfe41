# Run by CPack between installing into its own directory and packing that: what Debian's policy wants
# of documents. They are compressed without a time, so that equal inputs make equal packages.
function(compress file)
  execute_process(COMMAND gzip -9nf "${file}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)  # or of SOURCE_DATE_EPOCH
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} upper)
  set(package ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  set(share "${CPACK_TEMPORARY_DIRECTORY}/${component}/usr/share")
  set(documents "${share}/doc/${package}")
  configure_file("${CMAKE_CURRENT_LIST_DIR}/../debian/copyright" "${documents}/copyright" COPYONLY)
  file(REMOVE "${documents}/LICENSE")
  file(WRITE "${documents}/changelog.Debian"
       "netfleet (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium\n\n"
       "  * Packaged by cpack; the changes are in changelog.gz of netfleet.\n\n"
       " -- ${CPACK_PACKAGE_CONTACT}  ${now}\n")
  compress("${documents}/changelog.Debian")
  if(EXISTS "${documents}/CHANGELOG.md")
    file(RENAME "${documents}/CHANGELOG.md" "${documents}/changelog")
    compress("${documents}/changelog")
  endif()
  file(GLOB pages "${share}/man/man1/*.1")
  foreach(page IN LISTS pages)
    compress("${page}")
  endforeach()
endforeach()

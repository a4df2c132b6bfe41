# Helpers for the rooms: one static library a room, one set of warnings for all.

add_library(netfleet_flags INTERFACE)
target_compile_options(netfleet_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor
                       -Woverloaded-virtual -Wimplicit-fallthrough)
if(NETFLEET_WERROR)
  target_compile_options(netfleet_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false positives in inlined std::string and coroutine frames.
  target_compile_options(netfleet_flags INTERFACE -Wno-restrict -Wno-maybe-uninitialized
                         -Wno-dangling-pointer -Wno-stringop-overflow
                         -Wno-mismatched-new-delete)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(netfleet_flags INTERFACE -Wthread-safety)
  # Debian's asio 1.22 does not recognise clang's coroutines by itself.
  target_compile_definitions(netfleet_flags INTERFACE ASIO_HAS_CO_AWAIT=1
                             ASIO_HAS_STD_COROUTINE=1)
endif()
target_compile_definitions(netfleet_flags INTERFACE ASIO_STANDALONE ASIO_NO_DEPRECATED
                           NETFLEET_VERSION="${PROJECT_VERSION}")
# asio decides this by which headers came before its own, so that two files of one program could
# allocate and free coroutine frames differently.
target_compile_definitions(netfleet_flags INTERFACE ASIO_DISABLE_STD_ALIGNED_ALLOC=1)
target_include_directories(netfleet_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_link_libraries(netfleet_flags INTERFACE Threads::Threads)
if(NETFLEET_SANITIZE)
  target_compile_options(netfleet_flags INTERFACE -fsanitize=${NETFLEET_SANITIZE}
                         -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  target_link_options(netfleet_flags INTERFACE -fsanitize=${NETFLEET_SANITIZE})
endif()
if(NETFLEET_FUZZ)
  target_compile_options(netfleet_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# netfleet_library(NAME SOURCES ... PUBLIC libs... PRIVATE libs...): one room.
function(netfleet_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC netfleet_flags ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
endfunction()

# What runs without a network: the tests with the labels unit and fuzz, and no more.
add_custom_target(unit_tests)

# netfleet_test(NAME SOURCES ... LIBRARIES ...): one GoogleTest program, its cases known to ctest.
function(netfleet_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE netfleet_flags ${ARG_LIBRARIES} GTest::gmock
                        GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE NETFLEET_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300 LABELS unit)
  add_dependencies(unit_tests ${name})
endfunction()

# netfleet_fuzzer(NAME SOURCES ... LIBRARIES ...): a libFuzzer program with the fuzz preset, and
# always a ctest that replays the kept corpus in tests/fuzz/corpus/NAME.
function(netfleet_fuzzer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  if(NETFLEET_FUZZ)
    add_executable(fuzz_${name} ${ARG_SOURCES})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(fuzz_${name} ${ARG_SOURCES} ${CMAKE_SOURCE_DIR}/tests/fuzz/replay_corpus.cc)
    add_test(NAME fuzz_corpus_${name}
             COMMAND fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
    set_tests_properties(fuzz_corpus_${name} PROPERTIES TIMEOUT 120 LABELS fuzz)
    add_dependencies(unit_tests fuzz_${name})
  endif()
  target_link_libraries(fuzz_${name} PRIVATE netfleet_flags ${ARG_LIBRARIES})
endfunction()

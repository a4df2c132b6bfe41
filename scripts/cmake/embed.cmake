# cmake -DOUTPUT=FILE.cc -DFILES="a.yaml;b.yaml" -P embed.cmake: the platform files as a C++ source.
# A raw string literal holds a file as it is; the files are far below any compiler's limit for one.
# Name and aliases stand beside it, so that a file need not be read to find it by them.
set(rows "")
foreach(file IN LISTS FILES)
  get_filename_component(base "${file}" NAME)
  file(READ "${file}" text)
  if(text MATCHES "\\)netfleet\"")
    message(FATAL_ERROR "${file}: holds )netfleet\", the end of the literal it shall stand in")
  endif()
  if(NOT "\n${text}" MATCHES "\nname: ([a-z0-9_-]+)\n")
    message(FATAL_ERROR "${file}: no line \"name: NAME\"")
  endif()
  set(name "${CMAKE_MATCH_1}")
  set(aliases "")
  if(text MATCHES "\naliases:")
    if(NOT text MATCHES "\naliases: \\[([a-z0-9_, -]*)\\]\n")
      message(FATAL_ERROR "${file}: aliases stand on one line here, as [a, b]")
    endif()
    string(REPLACE "," "" aliases "${CMAKE_MATCH_1}")
  endif()
  string(APPEND rows
         "    {\"${base}\", \"${name}\", \"${aliases}\", R\"netfleet(${text})netfleet\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "// Written by scripts/cmake/embed.cmake.
#include \"worker/device/embedded_platforms.h\"

namespace netfleet {
namespace {
constexpr EmbeddedPlatform kPlatforms[] = {
${rows}};
}  // namespace
std::span<const EmbeddedPlatform> embedded_platforms() { return kPlatforms; }
}  // namespace netfleet
")

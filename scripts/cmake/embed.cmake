# cmake -DOUTPUT=FILE.cc -DFILES="a.yaml;b.yaml" -P embed.cmake: the platform files as a C++ source.
# A raw string literal holds a file as it is; the files are far below any compiler's limit for one.
set(rows "")
foreach(file IN LISTS FILES)
  get_filename_component(name "${file}" NAME)
  file(READ "${file}" text)
  if(text MATCHES "\\)netfleet\"")
    message(FATAL_ERROR "${file}: holds )netfleet\", the end of the literal it shall stand in")
  endif()
  string(APPEND rows "    {\"${name}\", R\"netfleet(${text})netfleet\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "// Written by scripts/cmake/embed.cmake.
#include \"worker/device/embedded_platforms.h\"

namespace netfleet {
namespace {
constexpr EmbeddedFile kFiles[] = {
${rows}};
}  // namespace
std::span<const EmbeddedFile> embedded_platforms() { return kFiles; }
}  // namespace netfleet
")

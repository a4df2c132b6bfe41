# cmake -DOUTPUT=FILE.cc -DFILE=openapi.json -P embed_openapi.cmake: the API's document as a C++
# source, in a raw string literal, which holds it as it is.
file(READ "${FILE}" text)
if(text MATCHES "\\)netfleet\"")
  message(FATAL_ERROR "${FILE}: holds )netfleet\", the end of the literal it shall stand in")
endif()
file(WRITE "${OUTPUT}" "// Written by scripts/cmake/embed_openapi.cmake.
#include \"dispatcher/api/routes.h\"

namespace netfleet {
std::string_view openapi_document() {
  return R\"netfleet(${text})netfleet\";
}
}  // namespace netfleet
")

// tests/fuzz: a template that says anything, over a host with all kinds of values. Whatever is
// accepted renders within its bounds, the same twice, without tags or the marks inside.
#include <cstdint>
#include <string>
#include <string_view>

#include "common/check.h"
#include "dispatcher/inventory/template.h"
#include "dispatcher/inventory/template_tags.h"

namespace netfleet {
namespace {

Host sample_host() {
  Host host;
  host.name = "edge-1";
  host.groups = {"a", "b"};
  host.data = {{"site", "x"},          {"none", ""},      {"off", "false"}, {"list.0", "1"},
               {"list.1", "2"},        {"maps.0.k", "3"}, {"maps.1.k", ""}, {"a.b.c", "lines\n4"},
               {"many.0.list.0", "5"}, {"1", "6"}};
  return host;
}

}  // namespace
}  // namespace netfleet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace netfleet;
  static const Host host = sample_host();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto parsed = Template::parse(text, "t");
  if (!parsed) {
    CHECK(parsed.error().message.starts_with("t:"));
    return 0;
  }
  std::vector<std::string> problems, again;
  const std::string rendered = parsed->render(host, TaskSpec{}, problems);
  CHECK(rendered.size() <= kMaxConfiguration);
  CHECK(rendered.find(kLineEnd) == std::string::npos);
  for (const std::string& problem : problems) CHECK(problem.starts_with("t:"));
  CHECK(parsed->render(host, TaskSpec{}, again) == rendered);
  CHECK(again == problems);
  CHECK(parsed->unknown_sections().size() <= size);
  if (!text.contains("{{") && problems.empty()) {
    std::string unix_text;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') unix_text += text[i];
    }
    CHECK(rendered == unix_text);
  }
  return 0;
}

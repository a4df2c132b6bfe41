// dispatcher/inventory: a configuration template: Mustache over what the inventory says of a host.
// The only user of the Mustache library. Pure: text in, text out.
//
//   {{name}} {{host}} {{address}} {{port}} {{user}} {{platform}} {{region}} {{jump}}
//   {{data.KEY.KEY}}                   a value of the host's data, inherited ones too
//   {{#data.servers}} ... {{/data.servers}}   once an item of a list ({{.}} or its keys), once for
//                                      a map, once if the value is there and not empty or "false"
//   {{^data.x}} ... {{/data.x}}        the opposite
//   {{#groups}}{{.}}{{/groups}}        all of its groups
//   {{! a comment }}
//
// Nothing is escaped for HTML. Lines that hold nothing but a section's tag or a comment disappear.
// Partials and other delimiters are refused.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/task.h"
#include "dispatcher/inventory/inventory.h"

namespace netfleet {

// One thread.
class Template {
 public:
  // `source` is its name in messages. The error says "source:line: what"; at most 1,000,000 bytes,
  // without control characters but line ends.
  static Expected<Template> parse(std::string_view text, std::string source);
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;
  ~Template();

  const std::string& source() const;

  // What `host` gets; `task` is its task, which has the user, the port and the platform that are
  // used. Adds to `problems` what is wrong, "source:line: {{data.x}} is not defined": the text is
  // good only if nothing is. Bounded by kMaxConfiguration.
  std::string render(const Host& host, const TaskSpec& task, std::vector<std::string>& problems);

  // After all hosts were rendered: the sections whose name none of them had. A section of an
  // undefined value is left out, so this is how a slip in its name shows.
  std::vector<std::string> unknown_sections() const;

 private:
  struct Impl;
  explicit Template(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace netfleet

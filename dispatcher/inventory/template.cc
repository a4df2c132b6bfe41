#include "dispatcher/inventory/template.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <kainjow/mustache.hpp>
#include <map>
#include <optional>
#include <utility>

#include "common/jump_host.h"
#include "common/problems.h"
#include "dispatcher/inventory/template_tags.h"

namespace netfleet {
namespace {

using kainjow::mustache::data;

// What a host may cost: bytes printed, and one a turn of a section or a value looked up.
constexpr std::size_t kMaxCost = 2 * kMaxConfiguration;

constexpr int kMaxTreeDepth = 32;  // deeper keys stay in one piece

struct TooMuch {};

// By tag, over all hosts.
struct Met {
  bool evaluated = false;
  bool found = false;  // the value was there
};

bool is_position(std::string_view text, std::size_t& position) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), position);
  return code == std::errc() && end == text.data() + text.size();
}

// Values with one path each, as a tree: what has the keys 0, 1, ... alone is a list.
struct Tree {
  std::optional<std::string> value;
  std::map<std::string, Tree, std::less<>> children;

  void add(std::string_view path, const std::string& text) {
    Tree* at = this;
    for (int depth = 1; !path.empty(); ++depth) {
      const std::size_t end =
          depth == kMaxTreeDepth ? path.size() : std::min(path.find('.'), path.size());
      at = &at->children[std::string(path.substr(0, end))];
      path.remove_prefix(std::min(end + 1, path.size()));
    }
    at->value = text;
  }

  data take() const {
    if (children.empty()) return data(value.value_or(""));
    std::vector<const Tree*> items(children.size());
    for (const auto& [key, child] : children) {
      std::size_t position = 0;
      if (!is_position(key, position) || position >= items.size()) {
        items.clear();
        break;
      }
      items[position] = &child;
    }
    if (items.empty() || std::ranges::find(items, nullptr) != items.end()) {
      data map(data::type::object);
      for (const auto& [key, child] : children) map.set(key, child.take());
      return map;
    }
    data list(data::type::list);
    for (const Tree* item : items) list.push_back(item->take());
    return list;
  }
};

// What the library asks for the value of a tag, which is named by its position.
class HostContext final : public kainjow::mustache::basic_context<std::string> {
 public:
  HostContext(const TemplateTags& tags, const std::string& source, const Host& host,
              const TaskSpec& task, std::vector<Met>& met, std::vector<std::string>& problems)
      : tags_(tags), source_(source), host_(host), task_(task), met_(met), problems_(problems) {
    charge(tags.own_text);
  }

  void push(const data* item) override { items_.push_back(item); }
  void pop() override { items_.pop_back(); }
  const data* get_partial(const std::string&) const override { return nullptr; }

  // Not const but for the library: it charges, and remembers what it made.
  const data* get(const std::string& name) const override {
    std::size_t position = 0;
    if (!is_position(name, position) || position >= tags_.tags.size()) return nullptr;
    return const_cast<HostContext*>(this)->value_of(position);
  }

 private:
  void charge(std::size_t cost) {
    if ((cost_ += cost + 1) > kMaxCost) throw TooMuch{};
  }

  void problem(const TemplateTag& tag, std::string_view what) {
    const std::string text = fmt::format("{}:{}: {{{{{}{}}}}} {}", source_, tag.line,
                                         tag.kind == TemplateTag::Kind::kVariable  ? ""
                                         : tag.kind == TemplateTag::Kind::kSection ? "#"
                                                                                   : "^",
                                         shown(tag.name), what);
    if (std::ranges::find(problems_, text) == problems_.end()) problems_.push_back(text);
  }

  const data* value_of(std::size_t position) {
    const TemplateTag& tag = tags_.tags[position];
    const data* value = find(tag.name);
    if (tag.kind == TemplateTag::Kind::kVariable) {
      if (value == nullptr) {
        problem(tag, "is not defined");
      } else if (!value->is_string()) {
        problem(tag, value->is_list() ? "is a list: it needs a section" : "is a map");
      } else {
        charge(value->string_value().size());
        return value;
      }
      return nullptr;
    }
    met_[position].evaluated = true;
    if (value != nullptr) met_[position].found = true;
    const bool left_out =
        value == nullptr || value->is_empty_list() ||
        (value->is_string() && (value->string_value().empty() || value->string_value() == "false"));
    const std::size_t turns =
        !left_out && value->is_list() ? value->list_value().size() : std::size_t{1};
    charge(turns * (tag.own_text + 1));
    return left_out ? nullptr : value;
  }

  // Innermost first, the host's own last.
  const data* find(const std::string& name) {
    if (name == ".") return items_.empty() ? nullptr : items_.back();
    for (auto item = items_.rbegin(); item != items_.rend(); ++item) {
      const data* value = *item;
      for (std::string_view path = name; value != nullptr && !path.empty();) {
        const std::size_t end = std::min(path.find('.'), path.size());
        value = value->get(std::string(path.substr(0, end)));
        path.remove_prefix(std::min(end + 1, path.size()));
      }
      if (value != nullptr) return value;
    }
    const auto known = known_.find(name);
    if (known != known_.end()) return known->second;
    std::optional<data> made = make(name);
    const data* value = made ? &values_.emplace_back(std::move(*made)) : nullptr;
    known_.emplace(name, value);
    return value;
  }

  std::optional<data> make(std::string_view name) const {
    if (name == "name" || name == "host") return data(host_.name.str());
    if (name == "address") return data(task_.address.str());
    if (name == "port") return data(std::to_string(task_.port));
    if (name == "user") return data(task_.user.str());
    if (name == "platform") return data(task_.platform.str());
    if (name == "region") return data(task_.region.str());
    if (name == "jump") return data(shown_route(host_.jump));
    if (name == "groups") {
      data list(data::type::list);
      for (const std::string& group : host_.groups) list.push_back(data(group));
      return list;
    }
    const bool all = name == "data";
    if (!all && !name.starts_with("data.")) return std::nullopt;
    const std::string key(all ? "" : name.substr(5));
    if (const auto exact = host_.data->find(key); exact != host_.data.end()) {
      return data(exact->second);
    }
    const std::string prefix = all ? "" : key + ".";
    Tree tree;
    bool found = false;
    for (auto at = host_.data->lower_bound(prefix);
         at != host_.data.end() && at->first.starts_with(prefix); ++at) {
      tree.add(std::string_view(at->first).substr(prefix.size()), at->second);
      found = true;
    }
    if (!found) return std::nullopt;
    return tree.take();
  }

  const TemplateTags& tags_;
  const std::string& source_;
  const Host& host_;
  const TaskSpec& task_;
  std::vector<Met>& met_;
  std::vector<std::string>& problems_;
  std::vector<const data*> items_;  // of the open sections
  std::map<std::string, const data*, std::less<>> known_;
  std::deque<data> values_;  // what known_ points at
  std::size_t cost_ = 0;
};

struct Output {
  std::string text;
  Output& operator<<(const std::string& more) {
    text += more;
    return *this;
  }
};

}  // namespace

struct Template::Impl {
  std::string source;
  TemplateTags tags;
  kainjow::mustache::mustache mustache;
  std::vector<Met> met;  // of sections
};

Template::Template(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

Expected<Template> Template::parse(std::string_view text, std::string source) {
  std::string unix_text;
  unix_text.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') unix_text += text[i];
  }
  source = shown(source);
  auto tags = read_template_tags(unix_text);
  if (!tags) return fail(fmt::format("{}:{}", source, tags.error().message));
  kainjow::mustache::mustache mustache(tags->text);
  if (!mustache.is_valid()) return fail(fmt::format("{}: {}", source, mustache.error_message()));
  const std::size_t count = tags->tags.size();
  return Template(std::make_unique<Impl>(
      Impl{std::move(source), std::move(*tags), std::move(mustache), std::vector<Met>(count)}));
}

const std::string& Template::source() const { return impl_->source; }

std::string Template::render(const Host& host, const TaskSpec& task,
                             std::vector<std::string>& problems) {
  try {
    HostContext context(impl_->tags, impl_->source, host, task, impl_->met, problems);
    Output output;
    impl_->mustache.render(context, output);
    std::ranges::replace(output.text, kLineEnd, '\n');
    if (output.text.size() <= kMaxConfiguration) return std::move(output.text);
  } catch (const TooMuch&) {
  }
  problems.push_back(fmt::format("{}: it makes more than {} bytes of configuration", impl_->source,
                                 kMaxConfiguration));
  return {};
}

std::vector<std::string> Template::unknown_sections() const {
  std::vector<std::string> unknown;
  for (std::size_t i = 0; i < impl_->tags.tags.size(); ++i) {
    const TemplateTag& tag = impl_->tags.tags[i];
    if (impl_->met[i].found || !impl_->met[i].evaluated) continue;
    unknown.push_back(fmt::format("{}:{}: {{{{{}{}}}}} is not defined for any host", impl_->source,
                                  tag.line, tag.kind == TemplateTag::Kind::kSection ? '#' : '^',
                                  shown(tag.name)));
  }
  return unknown;
}

}  // namespace netfleet

// tests of the API: whether an answer fits its schema in the OpenAPI document: the keywords that
// the document uses, and no others: one that is not known here is a failure, too.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

namespace netfleet {

class SchemaCheck {
 public:
  explicit SchemaCheck(nlohmann::json document) : document_(std::move(document)) {}
  const nlohmann::json& document() const { return document_; }

  // "": it fits; else where and why not.
  std::string misfit(const nlohmann::json& schema, const nlohmann::json& value,
                     const std::string& where = "$") const {
    for (const auto& [keyword, wanted] : schema.items()) {
      const std::string why = check(keyword, wanted, schema, value, where);
      if (!why.empty()) return why;
    }
    return {};
  }

  const nlohmann::json& resolve(const nlohmann::json& node) const {
    if (!node.contains("$ref")) return node;
    const auto reference = node["$ref"].get<std::string>();
    return document_.at(nlohmann::json::json_pointer(reference.substr(1)));
  }

 private:
  using Json = nlohmann::json;

  std::string check(const std::string& keyword, const Json& wanted, const Json& schema,
                    const Json& value, const std::string& where) const {
    const auto no = [&](const std::string& why) { return where + ": " + why; };
    const bool null = value.is_null() && schema.value("nullable", false);
    if (keyword == "$ref") return misfit(resolve(schema), value, where);
    if (keyword == "type" && !null && !is(value, wanted)) {
      return no(fmt::format("{} is no {}", value.dump(), wanted.dump()));
    }
    if (keyword == "enum" && !null &&
        std::find(wanted.begin(), wanted.end(), value) == wanted.end()) {
      return no(value.dump() + " is none of the enum");
    }
    if (keyword == "minimum" && value < wanted) return no("too small");
    if (keyword == "maximum" && value > wanted) return no("too large");
    if (keyword == "required") {
      for (const Json& name : wanted) {
        if (!value.contains(name.get<std::string>())) return no(name.dump() + " is missing");
      }
    }
    if (keyword == "properties" || keyword == "additionalProperties") {
      return check_properties(keyword, wanted, schema, value, where);
    }
    if (keyword == "items") {
      for (std::size_t i = 0; i < value.size(); ++i) {
        const auto why = misfit(wanted, value[i], fmt::format("{}[{}]", where, i));
        if (!why.empty()) return why;
      }
    }
    if (keyword == "anyOf" && std::ranges::none_of(wanted, [&](const Json& one) {
          return misfit(one, value, where).empty();
        })) {
      return no("fits none of anyOf");
    }
    if (keyword == "format" && !null) {
      if (wanted != "date-time") return no("an unknown format");
      const auto text = value.get<std::string>();
      if (text.size() != 24 || text[10] != 'T' || text[23] != 'Z') return no(text + " is no time");
    }
    static const std::vector<std::string> others = {
        "type",    "enum",      "minimum",   "maximum",  "required",    "propertyNames",
        "items",   "anyOf",     "format",    "nullable", "description", "default",
        "example", "minLength", "maxLength", "maxItems"};
    return std::ranges::find(others, keyword) == others.end() ? no("unknown keyword " + keyword)
                                                              : "";
  }

  std::string check_properties(const std::string& keyword, const Json& wanted, const Json& schema,
                               const Json& value, const std::string& where) const {
    const Json known = schema.value("properties", Json::object());
    for (const auto& [name, one] : value.items()) {
      const std::string there = where + "." + name;
      if (known.contains(name) != (keyword == "properties")) continue;
      if (wanted == false) return there + " is not expected";
      const auto why = misfit(keyword == "properties" ? wanted[name] : wanted, one, there);
      if (!why.empty()) return why;
    }
    return {};
  }

  static bool is(const Json& value, const Json& type) {
    if (type == "string") return value.is_string();
    if (type == "integer") return value.is_number_integer();
    if (type == "boolean") return value.is_boolean();
    if (type == "array") return value.is_array();
    return type == "object" && value.is_object();
  }

  nlohmann::json document_;
};

}  // namespace netfleet

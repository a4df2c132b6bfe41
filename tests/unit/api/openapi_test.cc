// The document and the program say the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "dispatcher/api/routes.h"
#include "tests/unit/api/schema_check.h"

namespace netfleet {
namespace {

using Json = nlohmann::json;

std::set<std::string> names_in(std::string_view pattern) {
  std::set<std::string> names;
  while (pattern.contains('{')) {
    pattern.remove_prefix(pattern.find('{') + 1);
    names.emplace(pattern.substr(0, pattern.find('}')));
  }
  return names;
}

TEST(OpenApi, HasEveryRouteAndNoOther) {
  const Json document = Json::parse(openapi_document());
  EXPECT_EQ(document["openapi"], "3.0.3");
  std::set<std::string> documented, served;
  for (const auto& [path, operations] : document["paths"].items()) {
    for (const auto& [method, operation] : operations.items()) {
      documented.insert(method + " " + path + " " + operation["x-scope"].get<std::string>());
    }
  }
  for (const Route& route : api_routes()) {
    const auto scope = route.scope == Scope::kNone ? "none" : scope_name(route.scope);
    served.insert(
        fmt::format("{} {} {}", route.method == "GET" ? "get" : "post", route.pattern, scope));
  }
  EXPECT_EQ(documented, served);
}

TEST(OpenApi, IsWhole) {
  const SchemaCheck check(Json::parse(openapi_document()));
  std::set<std::string> ids;
  for (const auto& [path, operations] : check.document()["paths"].items()) {
    for (const auto& [method, operation] : operations.items()) {
      EXPECT_TRUE(ids.insert(operation["operationId"]).second) << path;
      std::set<std::string> in_path;
      for (const Json& given : operation.value("parameters", Json::array())) {
        const Json& parameter = check.resolve(given);
        EXPECT_TRUE(parameter.contains("schema") && parameter.contains("description")) << path;
        if (parameter["in"] == "path") {
          EXPECT_EQ(parameter["required"], true);
          in_path.insert(parameter["name"].get<std::string>());
        }
      }
      EXPECT_EQ(in_path, names_in(path));
      for (const auto& [status, answer] : operation["responses"].items()) {
        EXPECT_TRUE(check.resolve(answer).contains("description")) << path << " " << status;
      }
      const bool takes_token = operation["x-scope"] != "none";
      EXPECT_EQ(operation["responses"].contains("403"), takes_token) << path;
    }
  }
}

// Every reference leads somewhere, and every schema is used.
TEST(OpenApi, ReferencesAreThere) {
  const Json document = Json::parse(openapi_document());
  std::set<std::string> used;
  const std::function<void(const Json&)> walk = [&](const Json& node) {
    if (node.is_object() && node.contains("$ref")) used.insert(node["$ref"].get<std::string>());
    if (node.is_structured()) {
      for (const Json& child : node) walk(child);
    }
  };
  walk(document);
  for (const std::string& reference : used) {
    EXPECT_TRUE(document.contains(Json::json_pointer(reference.substr(1)))) << reference;
  }
  for (const auto& [name, schema] : document["components"]["schemas"].items()) {
    EXPECT_TRUE(used.contains("#/components/schemas/" + name)) << name;
  }
}

TEST(OpenApi, OutcomesAreThoseThatThereAre) {
  const Json document = Json::parse(openapi_document());
  Json names = Json::array();
  for (int i = 0; i < kOutcomeCount; ++i) names.push_back(outcome_name(static_cast<Outcome>(i)));
  EXPECT_EQ(document["components"]["schemas"]["Result"]["properties"]["outcome"]["enum"], names);
  const Json counted = document["components"]["schemas"]["Outcomes"]["properties"];
  EXPECT_EQ(counted.size(), names.size());
  for (const Json& name : names) EXPECT_TRUE(counted.contains(name.get<std::string>())) << name;
}

TEST(Routes, TellPathsAndMethodsApart) {
  EXPECT_EQ(find_route("GET", {"v1", "sweeps", "x", "events"}).route->pattern,
            "/v1/sweeps/{sweep}/events");
  EXPECT_EQ(find_route("HEAD", {"v1", "jobs"}).route->pattern, "/v1/jobs");
  EXPECT_EQ(find_route("GET", {"v1", "sweeps", "x"}).values, std::vector<std::string>{"x"});
  EXPECT_EQ(find_route("DELETE", {"v1", "sweeps"}).route, nullptr);
  EXPECT_EQ(find_route("DELETE", {"v1", "sweeps"}).allowed, "GET, HEAD, POST");
  EXPECT_EQ(find_route("GET", {"v1"}).allowed, "");
  EXPECT_EQ(find_route("GET", {"v1", "jobs", "x"}).allowed, "");
}

}  // namespace
}  // namespace netfleet

// Who may ask what, what is answered, and what is written down.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "tests/unit/api/api_fixture.h"

namespace netfleet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(Api, HealthWithoutTokenSaysLittle) {
  service_.problems = {"the store's disk is full"};
  start();
  EXPECT_EQ(get("/v1/health", "").json(), Json({{"ok", false}, {"version", "0.1.0"}}));
  const Json all = get("/v1/health").json();
  EXPECT_EQ(all["workers"], 2);
  EXPECT_EQ(all["since"], "2026-11-25T09:46:40.000Z");
  EXPECT_THAT(all["problems"], ElementsAre("the store's disk is full"));
}

TEST_F(Api, ServesItsDocumentToAnybody) {
  start();
  EXPECT_EQ(get("/v1/openapi.json", "").body, openapi_document());
}

TEST_F(Api, EveryOtherRouteNeedsATokenWithItsScope) {
  add_sweep("20261125-080000-aaaa", 2, 2, true);
  options_.limits.refusals_noted = 1000;
  start();
  std::size_t refused = 0;
  for (const Route& route : api_routes()) {
    if (route.scope == Scope::kNone) continue;
    std::string path(route.pattern);
    for (const auto& [name, value] : {std::pair("{sweep}", "last"), {"{job}", "backup"}}) {
      if (path.contains(name)) path.replace(path.find(name), std::string(name).size(), value);
    }
    const auto ask = [&](const std::string& who) {
      return route.method == "GET" ? get(path, who) : post(path, "{}", who);
    };
    const Got none = ask("");
    EXPECT_EQ(none.status, 401) << path;
    EXPECT_EQ(none.header("WWW-Authenticate"), "Bearer realm=\"netfleet\"");
    for (const auto& [who, scope] : {std::pair("reader", Scope::kRead),
                                     {"runner", Scope::kRun},
                                     {"changer", Scope::kChange}}) {
      const Got got = ask(who);
      EXPECT_EQ(got.status == 403, scope < route.scope) << path << " " << who << " " << got.body;
      EXPECT_NE(got.status, 401);
      if (got.status != 403) continue;
      ++refused;
      EXPECT_THAT(got.body, HasSubstr(fmt::format("the scope {}", scope_name(route.scope))));
      EXPECT_THAT(got.header("WWW-Authenticate"), HasSubstr("insufficient_scope"));
    }
    ++refused;
  }
  const auto lines = audit_lines();
  EXPECT_EQ(std::ranges::count(lines, "refused", [](const Json& line) { return line["outcome"]; }),
            static_cast<long>(refused));
}

TEST_F(Api, StrangeTokensAreRefusedAndNoted) {
  start();
  tokens_["stranger"] = "nf_stranger";
  tokens_["empty"] = "";
  tokens_["long"] = std::string(4000, 'x');
  EXPECT_EQ(get("/v1/jobs", "stranger").status, 401);
  EXPECT_EQ(get("/v1/health", "stranger").status, 401);
  EXPECT_EQ(get("/v1/jobs", "empty").status, 401);
  EXPECT_EQ(get("/v1/jobs", "long").status, 401);
  const auto basic = client().Get("/v1/jobs", {{"Authorization", "Basic " + tokens_["reader"]}});
  EXPECT_EQ(basic->status, 401);
  const auto twice = client().Get("/v1/jobs", {{"Authorization", "Bearer " + tokens_["reader"]},
                                               {"Authorization", "Bearer " + tokens_["reader"]}});
  EXPECT_EQ(twice->status, 401);
  const auto lines = audit_lines();
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines[0]["who"], "");
  EXPECT_EQ(lines[0]["action"], "GET");
  EXPECT_EQ(lines[0]["object"], "/v1/jobs");
  EXPECT_EQ(lines[0]["outcome"], "refused");
  EXPECT_THAT(lines[0]["from"].get<std::string>(), testing::StartsWith("127.0.0.1:"));
  for (const Json& line : lines) EXPECT_THAT(line.dump(), testing::Not(HasSubstr("nf_stranger")));
}

TEST_F(Api, WithoutTokensOnlyHealthAndDocument) {
  options_.tokens.clear();
  start();
  EXPECT_EQ(get("/v1/health", "").status, 200);
  const Got got = get("/v1/jobs");
  EXPECT_EQ(got.status, 401);
  EXPECT_THAT(got.body, HasSubstr("keygen --token"));
}

TEST_F(Api, ReloadTakesNewTokensAndKeepsTheOldOnesOnAnError) {
  start();
  write_tokens("nonsense\n");
  const auto failed = server_->reload();
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("tokens:1:"));
  EXPECT_EQ(get("/v1/jobs").status, 200);
  const auto made = *make_token("new", Scope::kRead);
  tokens_["new"] = made.token;
  write_tokens(made.line);
  ASSERT_TRUE(server_->reload());
  EXPECT_EQ(get("/v1/jobs", "new").status, 200);
  EXPECT_EQ(get("/v1/jobs").status, 401);
}

TEST_F(Api, ListsJobsSchedulesFiringsWorkers) {
  start();
  const Json jobs = get("/v1/jobs").json()["jobs"];
  ASSERT_EQ(jobs.size(), 2);
  EXPECT_EQ(jobs[0]["error"], nullptr);
  EXPECT_EQ(jobs[1]["error"], "broken.yaml:3: no\uFFFD");
  const Json schedules = get("/v1/schedules").json()["schedules"];
  EXPECT_EQ(schedules[0]["running"], "20261125-020000-1111");
  EXPECT_EQ(schedules[1]["next"], nullptr);
  EXPECT_EQ(get("/v1/schedules/backup/firings").json()["firings"].size(), 2);
  EXPECT_EQ(get("/v1/schedules/backup/firings?limit=1").json()["firings"].size(), 1);
  EXPECT_EQ(get("/v1/schedules/backup/firings?limit=0").status, 400);
  EXPECT_EQ(get("/v1/schedules/other/firings").status, 404);
  EXPECT_EQ(get("/v1/workers").json()["workers"][1]["seen_ago_ms"], 9000);
}

TEST_F(Api, ListsLiveSweepsAndStoredOnes) {
  add_sweep("20261125-080000-aaaa", 3, 3, true);
  add_sweep("20261125-090000-bbbb", 10, 4, false);
  add_sweep("20261125-100000-cccc", 10, 0, false);
  service_.set_live({live("20261125-090000-bbbb", 10, 4, 1)});
  start();
  const Json sweeps = get("/v1/sweeps").json()["sweeps"];
  ASSERT_EQ(sweeps.size(), 3);
  EXPECT_EQ(sweeps[0]["state"], "unfinished");
  EXPECT_EQ(sweeps[1]["state"], "running");
  EXPECT_EQ(sweeps[1]["job"], "backup");
  EXPECT_EQ(sweeps[1]["done"], 4);
  EXPECT_EQ(sweeps[2]["state"], "ended");
  EXPECT_FALSE(sweeps[2].contains("done"));
  EXPECT_EQ(get("/v1/sweeps?limit=1").json()["sweeps"].size(), 1);
  EXPECT_EQ(get("/v1/sweeps?job=backup").json()["sweeps"].size(), 1);
  EXPECT_EQ(get("/v1/sweeps?limit=x").status, 400);
  EXPECT_EQ(get("/v1/sweeps?page=2").status, 400);
  const Json one = get("/v1/sweeps/20261125-08").json();
  EXPECT_EQ(one["sweep"], "20261125-080000-aaaa");
  EXPECT_EQ(one["done"], 3);
  EXPECT_EQ(one["outcomes"], Json({{"ok", 2}, {"timed_out", 1}}));
  EXPECT_EQ(one["ended_at"], "2026-11-22T19:15:49.623Z");
  EXPECT_EQ(get("/v1/sweeps/last").json()["sweep"], "20261125-100000-cccc");
  EXPECT_EQ(get("/v1/sweeps/20261125").status, 404);
  EXPECT_EQ(get("/v1/sweeps/nothing").status, 404);
}

TEST_F(Api, StoreThatCannotBeReadIs503) {
  options_.open_store = [] { return Expected<Store>(fail("the store is corrupt")); };
  start();
  for (const char* path : {"/v1/sweeps", "/v1/sweeps/last", "/v1/sweeps/last/results"}) {
    const Got got = get(path);
    EXPECT_EQ(got.status, 503) << path;
    EXPECT_THAT(got.body, HasSubstr("corrupt"));
    EXPECT_EQ(got.header("Retry-After"), "5");
  }
  EXPECT_EQ(get("/v1/jobs").status, 200);
}

TEST_F(Api, SubmitsWithWhatTheTokenAllows) {
  start();
  const Got got = post("/v1/sweeps", R"({"job":"backup","limit":["edge-*"]})", "runner",
                       {{"Idempotency-Key", "night-1"}});
  EXPECT_EQ(got.status, 202);
  const auto id = got.json()["sweep"].get<std::string>();
  EXPECT_EQ(got.header("Location"), "/v1/sweeps/" + id);
  ASSERT_EQ(service_.submissions.size(), 1);
  EXPECT_EQ(service_.submissions[0].who, "api:runner");
  EXPECT_EQ(service_.submissions[0].key, "night-1");
  EXPECT_FALSE(service_.submissions[0].may_change);
  EXPECT_THAT(service_.submissions[0].limits, ElementsAre("edge-*"));
  EXPECT_EQ(post("/v1/sweeps", R"({"job":"backup"})", "runner", {{"Idempotency-Key", "night-1"}})
                .json()["sweep"],
            id);

  const Got own = post("/v1/sweeps", R"({"job":"backup","commands":["reload"]})", "runner");
  EXPECT_EQ(own.status, 403);
  EXPECT_THAT(own.body, HasSubstr("scope change"));
  EXPECT_EQ(service_.submissions.size(), 2);
  EXPECT_EQ(post("/v1/sweeps", R"({"job":"backup","configuration":"ntp x"})", "runner").status,
            403);
  EXPECT_EQ(post("/v1/sweeps", R"({"job":"backup","commands":["reload"]})", "changer").status, 202);
  EXPECT_TRUE(service_.submissions[2].may_change);
  EXPECT_EQ(post("/v1/sweeps", "{}", "runner").status, 400);
  EXPECT_EQ(post("/v1/sweeps", R"({"job":"x"})", "runner", {{"Idempotency-Key", "a b"}}).status,
            400);
}

TEST_F(Api, RefusalsOfTheServiceKeepTheirKind) {
  using Kind = Refusal::Kind;
  start();
  for (const auto& [kind, status] : {std::pair(Kind::kInvalid, 400),
                                     {Kind::kForbidden, 403},
                                     {Kind::kNotFound, 404},
                                     {Kind::kConflict, 409},
                                     {Kind::kBusy, 503},
                                     {Kind::kInternal, 500}}) {
    service_.refusal = {kind, "for a reason"};
    const Got got = post("/v1/sweeps", R"({"job":"backup"})", "runner");
    EXPECT_EQ(got.status, status);
    EXPECT_EQ(got.json()["error"], "for a reason");
  }
}

TEST_F(Api, ActsOnSweepsAndSchedules) {
  add_sweep("20261125-080000-aaaa", 3, 3, true);
  start();
  EXPECT_EQ(post("/v1/sweeps/last/cancel", "", "runner").status, 202);
  EXPECT_EQ(post("/v1/sweeps/2026/cancel", R"({"now":true})", "runner").status, 202);
  EXPECT_EQ(post("/v1/sweeps/last/answer", R"({"go_on":false})", "changer").status, 202);
  const Got retry = post("/v1/sweeps/last/retry", R"({"only":"failed,skipped"})", "changer",
                         {{"Idempotency-Key", "once"}});
  EXPECT_EQ(post("/v1/sweeps/last/retry", "", "changer", {{"Idempotency-Key", "a b"}}).status, 400);
  EXPECT_EQ(retry.header("Location"), "/v1/sweeps/20261125-100000-beef");
  EXPECT_EQ(post("/v1/schedules/back%20up/pause", "", "runner").json()["paused"], true);
  EXPECT_EQ(post("/v1/schedules/backup/resume", "{}", "runner").json()["paused"], false);
  EXPECT_EQ(post("/v1/schedules/backup/resume", R"({"x":1})", "runner").status, 400);
  EXPECT_EQ(post("/v1/sweeps/none/cancel", "", "runner").status, 404);
  EXPECT_THAT(service_.notes(),
              ElementsAre("cancel 20261125-080000-aaaa false api:runner",
                          "cancel 20261125-080000-aaaa true api:runner",
                          "answer 20261125-080000-aaaa false api:changer",
                          "retry 20261125-080000-aaaa failed,skipped true api:changer once",
                          "paused back up true api:runner", "paused backup false api:runner"));
  const auto lines = audit_lines();
  ASSERT_EQ(lines.size(), 12);
  EXPECT_EQ(lines[6]["action"], "retry");
  EXPECT_EQ(lines[6]["outcome"], "asked");
  EXPECT_EQ(lines[6]["detail"], "only failed,skipped");
  EXPECT_EQ(lines[7]["outcome"], "done");
  EXPECT_EQ(lines[7]["detail"], "sweep 20261125-100000-beef");
  EXPECT_EQ(lines[7]["who"], "api:changer");
  EXPECT_EQ(lines[7]["object"], "20261125-080000-aaaa");
}

TEST_F(Api, NothingIsDoneThatCannotBeNoted) {
  start();
  std::filesystem::remove(directory_ / "audit");
  std::filesystem::create_directory(directory_ / "audit");
  EXPECT_EQ(post("/v1/sweeps", R"({"job":"backup"})", "runner").status, 503);
  EXPECT_TRUE(service_.submissions.empty());
  EXPECT_THAT(log(), HasSubstr("audit"));
  const Json health = get("/v1/health").json();
  EXPECT_EQ(health["ok"], false);
  EXPECT_THAT(health["problems"].dump(), HasSubstr("audit"));
  EXPECT_THAT(get("/metrics").body, HasSubstr("\nnetfleet_healthy 0\n"));
  std::filesystem::remove(directory_ / "audit");
  EXPECT_EQ(post("/v1/sweeps", R"({"job":"backup"})", "runner").status, 202);
  EXPECT_EQ(get("/v1/health").json()["ok"], true);
}

TEST_F(Api, DefectsAreAnsweredAndLogged) {
  service_.throws = true;
  start();
  EXPECT_EQ(get("/v1/health").status, 500);
  EXPECT_THAT(log(), HasSubstr("as a test wants it"));
  service_.throws = false;
  EXPECT_EQ(get("/v1/health").status, 200);
}

TEST_F(Api, OtherMethodsAndPathsAreRefused) {
  start();
  auto one = client();
  EXPECT_EQ(one.Delete("/v1/jobs", bearer("changer"))->status, 405);
  EXPECT_EQ(one.Delete("/v1/jobs", bearer("changer"))->get_header_value("Allow"), "GET, HEAD");
  EXPECT_EQ(one.Options("/v1/jobs")->status, 405);
  EXPECT_FALSE(one.Get("/v1/jobs", bearer("reader"))->has_header("Access-Control-Allow-Origin"));
  const auto head = one.Head("/v1/jobs", bearer("reader"));
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->body, "");
  EXPECT_EQ(get("/v2/jobs").status, 404);
  EXPECT_EQ(get("/").status, 400);
  EXPECT_EQ(get("/v1/jobs").header("Cache-Control"), "no-store");
}

TEST_F(Api, ListensElsewhereOnlyWithTokensAndTls) {
  const auto why = [&](const std::string& address) {
    options_.listen = address;
    auto started = ApiServer::start(options_, service_, [](const std::string&) {});
    return started ? "started" : started.error().message;
  };
  const std::string tokens = options_.tokens;
  for (const char* address : {"0.0.0.0:0", "[::]:0", "192.0.2.1:7680"}) {
    options_.tokens = tokens;
    EXPECT_THAT(why(address), HasSubstr("takes TLS")) << address;
    options_.tokens.clear();
    EXPECT_THAT(why(address), HasSubstr("takes a file of tokens and TLS")) << address;
  }
  for (const char* address : {"", "7680", "127.0.0.1", "example.net:1", "127.0.0.1:65536", "::1:7",
                              "127.1:7", "127.0.0.1:x"}) {
    EXPECT_THAT(why(address), HasSubstr("listen on")) << address;
  }
  options_.certificate = "there";
  EXPECT_THAT(why("127.0.0.1:0"), HasSubstr("both"));
  options_.certificate.clear();
  for (const char* address : {"127.0.0.1:0", "[::1]:0", "localhost:0", "127.9.9.9:0"}) {
    EXPECT_EQ(why(address), "started");
  }
  options_.tokens = directory_ / "missing";
  EXPECT_THAT(why("127.0.0.1:0"), HasSubstr("missing"));
}

TEST_F(Api, PortInUseIsAnError) {
  start();
  options_.listen = fmt::format("127.0.0.1:{}", server_->port());
  auto second = ApiServer::start(options_, service_, [](const std::string&) {});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("in use"));
}

// A key and a certificate of its own.
void write_certificate(const std::string& certificate, const std::string& key) {
  EVP_PKEY* const pair = EVP_EC_gen("P-256");
  X509* const made = X509_new();
  X509_set_version(made, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
  X509_gmtime_adj(X509_getm_notBefore(made), -60);
  X509_gmtime_adj(X509_getm_notAfter(made), 3600);
  X509_set_pubkey(made, pair);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(made, X509_get_subject_name(made));
  X509_sign(made, pair, EVP_sha256());
  FILE* file = fopen(certificate.c_str(), "w");
  PEM_write_X509(file, made);
  fclose(file);
  file = fopen(key.c_str(), "w");
  PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr);
  fclose(file);
  std::filesystem::permissions(key, std::filesystem::perms(0600));
  X509_free(made);
  EVP_PKEY_free(pair);
}

TEST_F(Api, SpeaksTlsAnywhere) {
  options_.certificate = directory_ / "cert.pem";
  options_.key = directory_ / "key.pem";
  options_.listen = "0.0.0.0:0";
  write_certificate(options_.certificate, options_.key);
  add_sweep("20261125-080000-aaaa", 2000, 2000, true);
  start();
  EXPECT_THAT(server_->url(), testing::StartsWith("https://0.0.0.0:"));
  httplib::SSLClient one("127.0.0.1", server_->port());
  one.enable_server_certificate_verification(false);
  EXPECT_EQ(one.Get("/v1/jobs", bearer("reader"))->status, 200);
  const auto results = one.Get("/v1/sweeps/last/results", bearer("reader"));
  ASSERT_TRUE(results);
  EXPECT_EQ(std::ranges::count(results->body, '\n'), 2000);
  EXPECT_FALSE(client().Get("/v1/jobs", bearer("reader")));  // without TLS
  const std::string curl = fmt::format(
      "curl -fsS --cacert {} -H 'Authorization: Bearer {}' "
      "https://localhost:{}/v1/sweeps/last/results >{} 2>&1",
      options_.certificate, tokens_["reader"], server_->port(), directory_ / "said");
  EXPECT_EQ(std::system(curl.c_str()), 0) << file_content(directory_ / "said");
  EXPECT_EQ(file_content(directory_ / "said"), results->body);

  std::filesystem::permissions(options_.key, std::filesystem::perms(0644));
  EXPECT_THAT(server_->reload().error().message, HasSubstr("chmod 640"));
  write_certificate(options_.certificate, options_.key);
  ASSERT_TRUE(server_->reload());
  EXPECT_EQ(one.Get("/v1/jobs", bearer("reader"))->status, 200);
  write_certificate(directory_ / "other.pem", options_.key);
  EXPECT_THAT(server_->reload().error().message, HasSubstr("key"));
}

}  // namespace
}  // namespace netfleet

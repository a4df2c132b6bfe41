#include "common/codec.h"

#include <gtest/gtest.h>

namespace netfleet {
namespace {

TaskResult sample_result() {
  TaskResult result;
  result.index = 7;
  result.attempt = 2;
  result.outcome = Outcome::kCommandFailed;
  result.error = "refused \xFF";
  result.platform = "cisco_ios";
  result.evidence = "it says \xFF";
  result.found_on_key = 0xfedc'ba98'7654'3210;
  result.jump = "a,b";
  result.started_at = WallTime(Milliseconds(1'795'374'948'123));
  result.duration = Milliseconds(1234);
  result.command_sent = true;
  result.way_lost = true;
  result.commands = {
      {"show version", std::string("bytes \0 \xFF", 9), Outcome::kOk, Milliseconds(5), true},
      {"show caf\xe9", "% Invalid", Outcome::kCommandFailed, Milliseconds(6), false}};
  return result;
}

TEST(Codec, AResultSurvivesTheWire) {
  v1::ResultFrame header;
  header.set_incarnation(5);
  header.set_sequence(9);
  header.set_free(3);
  const std::string body = to_wire(sample_result(), 4).SerializeAsString();
  std::string bytes = encode(header);
  const std::size_t header_size = bytes.size();
  for (int i = 0; i < 2; ++i) {
    begin_result(bytes, body.size());
    bytes += body;
  }
  EXPECT_EQ(bytes.size(), header_size + 2 * result_size(body.size()));
  auto frame = decode_results(bytes);
  ASSERT_TRUE(frame) << frame.error().message;
  EXPECT_EQ(frame->incarnation(), 5u);
  ASSERT_EQ(frame->results_size(), 2);
  EXPECT_EQ(key_of(frame->results(1).task()), (TaskKey{4, 7}));
  EXPECT_EQ(from_wire(*frame->mutable_results(1)), sample_result());
}

TEST(Codec, AJobAndATaskSurviveTheWire) {
  JobSpec job;
  job.sweep = "20261122-1";
  job.commands = {"show clock", "show version"};
  job.timeouts.connect = Milliseconds(1);
  job.max_output = 99;
  job.host_key_policy = HostKeyPolicy::kOff;
  job.legacy_algorithms = true;
  job.changes_device = true;
  job.mode = "privileged";
  job.configuration = {.lines = {"interface lo", "", " shutdown"},
                       .dry_run = true,
                       .confirm_within = Milliseconds(60'000),
                       .save = true};
  job.answers = {{"continue\\?", "y"}, {"name: $", ""}};
  job.exec = true;
  job.jumps = {{.name = "bastion", .address = "192.0.2.1", .user = "jump"},
               {.name = "core",
                .address = "fe80::1",
                .port = 2222,
                .user = "ann",
                .credential = "jump:core",
                .via = "other>bastion",
                .weight = 3,
                .max_connections = 2,
                .max_channels = 50,
                .host_key_policy = HostKeyPolicy::kStrict,
                .legacy_algorithms = true,
                .ssh_options = "macs hmac-sha1\n"}};
  EXPECT_EQ(from_wire(to_wire(job, 3)), job);
  const TaskSpec task{3,      2222, "edge-7",  "fe80::1%eth0",     "DOMAIN\\admin",
                      "auto", "eu", "default", "hostname edge-7\n"};
  EXPECT_EQ(from_wire(to_wire(task, 1, 2)), task);
}

TEST(Codec, RefusesWhatIsNotOurs) {
  EXPECT_FALSE(decode_offers(""));
  EXPECT_FALSE(decode_offers("GET / HTTP/1.1\r\n"));
  EXPECT_FALSE(decode_to_dispatcher("nf\x01\xff\xff\xff"));
  EXPECT_FALSE(decode_to_worker("nf\x02"));
  EXPECT_EQ(frame_version("nf\x02"), 2);
  EXPECT_EQ(frame_version("nf"), 0);
}

// A part of an output, and what none can be.
TEST(Codec, APartOfAnOutput) {
  const auto frame_of = [](const auto& change) {
    v1::ResultFrame frame;
    frame.set_incarnation(1);
    v1::OutputPart& part = *frame.mutable_part();
    *part.mutable_task() = make_ref({1, 2}, 1);
    part.set_offset(100);
    part.set_output("interface");
    change(frame);
    return encode(frame);
  };
  const auto refused = [&](const auto& change) { return !decode_results(frame_of(change)); };
  const auto part = decode_results(frame_of([](v1::ResultFrame&) {}));
  ASSERT_TRUE(part);
  EXPECT_EQ(part->part().output(), "interface");
  EXPECT_TRUE(refused([](auto& frame) { frame.mutable_part()->clear_output(); }));
  EXPECT_TRUE(refused([](auto& frame) { frame.mutable_part()->clear_task(); }));
  EXPECT_TRUE(refused([](auto& frame) { frame.mutable_part()->set_first(true); }));
  EXPECT_TRUE(refused([](auto& frame) {
    frame.mutable_part()->set_output(std::string(OutputText::kPiece + 1, 'x'));
  }));
  v1::TaskResult result;
  *result.mutable_task() = make_ref({1, 2}, 1);
  result.set_outcome(v1::OUTCOME_OK);
  EXPECT_TRUE(refused([&](auto& frame) { *frame.add_results() = result; })) << "both";
  result.add_commands()->set_outcome(v1::OUTCOME_OK);
  result.mutable_commands(0)->set_parted_size(5);
  const auto alone = [&](v1::ResultFrame& frame) {
    frame.clear_part();
    *frame.add_results() = result;
  };
  EXPECT_FALSE(refused(alone));
  result.mutable_commands(0)->set_output("came inside, too");
  EXPECT_TRUE(refused(alone));
}

TEST(Codec, RefusesImpossibleContents) {
  EXPECT_FALSE(decode_offers(encode(v1::OfferFrame())));
  v1::OfferFrame offers;
  *offers.add_offers()->mutable_task() = make_ref({1, 0}, 0);
  offers.mutable_offers(0)->set_round(1);
  EXPECT_FALSE(decode_offers(encode(offers))) << "attempt 0";

  v1::ToDispatcher message;
  message.set_incarnation(1);
  EXPECT_FALSE(decode_to_dispatcher(encode(message))) << "no body";
  message.mutable_goodbye();
  EXPECT_TRUE(decode_to_dispatcher(encode(message)));
  message.set_incarnation(0);
  EXPECT_FALSE(decode_to_dispatcher(encode(message))) << "nobody";

  v1::ToWorker grant;
  *grant.mutable_grant()->add_tasks()->mutable_task() = make_ref({1, 0}, 1);
  EXPECT_FALSE(decode_to_worker(encode(grant))) << "no address";

  v1::ResultFrame frame;
  frame.set_incarnation(1);
  *frame.add_results()->mutable_task() = make_ref({1, 0}, 1);
  EXPECT_FALSE(decode_results(encode(frame))) << "no outcome";
  frame.mutable_results(0)->set_outcome(static_cast<v1::Outcome>(99));
  EXPECT_FALSE(decode_results(encode(frame))) << "an outcome that does not exist";
}

TEST(Codec, RefusesConfigurationBeyondItsBounds) {
  JobSpec job;
  job.configuration.lines = {std::string(kMaxConfiguration - 1, 'x')};
  v1::ToWorker message;
  *message.mutable_job() = to_wire(job, 1);
  EXPECT_TRUE(decode_to_worker(encode(message)));
  EXPECT_TRUE(check_size(job));
  message.mutable_job()->mutable_configuration()->add_lines("y");
  EXPECT_FALSE(decode_to_worker(encode(message))) << "too much of it";
  message.mutable_job()->mutable_configuration()->clear_lines();
  message.mutable_job()->mutable_configuration()->add_lines("two\nlines");
  EXPECT_FALSE(decode_to_worker(encode(message))) << "a line that is two";
  message.mutable_job()->clear_configuration();
  message.mutable_job()->add_answers()->set_reply("y");
  EXPECT_FALSE(decode_to_worker(encode(message))) << "an answer to nothing";

  job.commands = {std::string(60'000, 'c')};
  const auto checked = check_size(job);
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().message.find("more than 1048576 do not fit"), std::string::npos);

  TaskSpec task;
  task.address = "10.0.0.1";
  task.configuration = std::string(kMaxConfiguration, 'x');
  v1::ToWorker grant;
  *grant.mutable_grant()->add_tasks() = to_wire(task, 1, 1);
  EXPECT_TRUE(decode_to_worker(encode(grant)));
  grant.mutable_grant()->mutable_tasks(0)->mutable_configuration()->append("x");
  EXPECT_FALSE(decode_to_worker(encode(grant)));
}

TEST(Codec, RefusesJumpHostsThatCannotBe) {
  JobSpec job;
  job.jumps = {{.name = "a", .address = "192.0.2.1", .user = "jump"},
               {.name = "b", .address = "10.0.0.1", .user = "jump", .via = "unknown>a"}};
  const auto taken = [](const JobSpec& spec) {
    v1::ToWorker message;
    *message.mutable_job() = to_wire(spec, 1);
    return bool{decode_to_worker(encode(message))};
  };
  EXPECT_TRUE(taken(job));
  const auto taken_with = [&](auto change) {
    JobSpec changed = job;
    change(changed.jumps[0]);
    return taken(changed);
  };
  EXPECT_FALSE(taken_with([](JumpHost& host) { host.name = ""; }));
  EXPECT_FALSE(taken_with([](JumpHost& host) { host.name = "a|c"; }));
  EXPECT_FALSE(taken_with([](JumpHost& host) { host.name = "none"; }));
  EXPECT_FALSE(taken_with([](JumpHost& host) { host.name = std::string(256, 'a'); }));
  EXPECT_FALSE(taken_with([](JumpHost& host) { host.name = "b"; })) << "twice";
  EXPECT_FALSE(taken_with([](JumpHost& host) { host.address = ""; }));
  EXPECT_FALSE(taken_with([](JumpHost& host) { host.user = ""; }));
  EXPECT_FALSE(taken_with([](JumpHost& host) { host.port = 0; }));
  EXPECT_FALSE(taken_with([](JumpHost& host) { host.weight = 0; }));
  EXPECT_FALSE(taken_with([](JumpHost& host) { host.max_connections = 1001; }));
  EXPECT_FALSE(taken_with([](JumpHost& host) { host.max_channels = 0; }));
  EXPECT_FALSE(taken_with([](JumpHost& host) { host.via = "b"; })) << "a loop";
  EXPECT_FALSE(taken_with([](JumpHost& host) { host.via = "x,y"; })) << "a route is no chain";
  job.jumps.clear();
  for (std::size_t i = 0; i <= kMaxJumpHosts; ++i) {
    job.jumps.push_back({.name = std::to_string(i), .address = "x", .user = "y"});
  }
  EXPECT_FALSE(taken(job));
  job.jumps.pop_back();
  EXPECT_TRUE(taken(job));

  const auto grants = [](const std::string& route) {
    TaskSpec task;
    task.address = "10.0.0.1";
    task.jump = route;
    v1::ToWorker message;
    *message.mutable_grant()->add_tasks() = to_wire(task, 1, 1);
    return bool{decode_to_worker(encode(message))};
  };
  EXPECT_TRUE(grants("a>b|c,d"));
  for (const char* route : {"a,", "|a", "a>>b", "none", "a>b>", ","}) EXPECT_FALSE(grants(route));
  std::string many = "a";
  for (int i = 1; i < 64; ++i) many += "|a";
  EXPECT_TRUE(grants(many));
  EXPECT_FALSE(grants(many + ",a"));
  EXPECT_FALSE(grants(std::string(2000, 'a') + "|" + std::string(2100, 'b')));
}

TEST(Codec, TextsNeedNotBeUtf8) {
  const std::string latin = "caf\xe9";
  JobSpec job;
  job.commands = {latin};
  v1::ToWorker message;
  *message.mutable_job() = to_wire(job, 1);
  auto decoded = decode_to_worker(encode(message));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(from_wire(decoded->job()).commands, job.commands);

  const TaskSpec task{.index = 0,
                      .port = 22,
                      .host = latin,
                      .address = "10.0.0.1",
                      .user = latin,
                      .platform = "auto",
                      .region = latin,
                      .credential = latin,
                      .remembered_platform = "linux",
                      .remembered_key = 0xfedc'ba98'7654'3210,
                      .ssh_options = latin,
                      .jump = latin};
  v1::ToWorker grant;
  *grant.mutable_grant()->add_tasks() = to_wire(task, 1, 1);
  decoded = decode_to_worker(encode(grant));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(from_wire(decoded->grant().tasks(0)), task);

  v1::ToDispatcher hello;
  hello.set_incarnation(1);
  hello.mutable_hello()->set_name(latin);
  hello.mutable_hello()->add_regions(latin);
  hello.mutable_hello()->set_slots(1);
  EXPECT_TRUE(decode_to_dispatcher(encode(hello)));
}

}  // namespace
}  // namespace netfleet

#include "worker/engine/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "common/duration.h"

namespace netfleet {
namespace {

constexpr Milliseconds kCloseWithin{2000};
constexpr const char* kLeaseLost = "the worker lost its lease";

std::unexpected<ssh::Failure> failure(Outcome outcome, std::string reason) {
  return std::unexpected(ssh::Failure{outcome, std::move(reason)});
}

}  // namespace

void Session::stage(std::string name) {
  if (!parts_.events.progress_wanted()) return;
  parts_.events.push(SessionProgress{order_.key, thread_, std::move(name)});
}

void Session::stop(std::string reason) {
  stopped_ = std::move(reason);
  if (jump_request_) jump_request_->abort();
  if (connection_) connection_->abort();
}

asio::awaitable<TaskResult> Session::run() {
  started_ = BootClock::now();
  result_.index = order_.key.index;
  result_.attempt = order_.attempt;
  result_.platform = order_.task.platform;
  result_.started_at = SystemClock().wall();
  task_deadline_ = started_ + order_.job->timeouts.task;
  if (needs_no_device()) co_return std::move(result_);
  if (parts_.session_logs != nullptr && !order_.job->exec) {
    recorder_.emplace(*parts_.session_logs, *order_.job, order_.task, order_.attempt, started_);
  }
  ssh::Attempt<void> attempt = co_await log_in();
  const bool logged_in = attempt.has_value();
  if (logged_in && order_.job->exec) attempt = co_await execute();
  if (logged_in && !order_.job->exec) attempt = co_await converse();
  result_.way_lost = !attempt && passage_ && !passage_->lost.empty();
  if (result_.way_lost) {
    attempt = failure(Outcome::kJumpFailed, passage_->lost);
  }
  if (dialogue_) {
    const Outcome unfinished = stopped_  ? Outcome::kCancelled
                               : attempt ? Outcome::kOk
                                         : attempt.error().outcome;
    take_outputs(unfinished);
    result_.platform = dialogue_->platform_name();
    result_.evidence = dialogue_->evidence();
  }
  conclude(attempt);
  note_detection();
  if (recorder_) recorder_->ended(result_.outcome, result_.error);
  result_.duration = std::chrono::round<Milliseconds>(BootClock::now() - started_);
  co_await connection_->close(BootClock::now() + kCloseWithin);
  co_return std::move(result_);
}

// What the platform cannot do, or only rehearses, is known before anybody is connected to.
bool Session::needs_no_device() {
  const std::string platform = order_.task.platform.str();
  const Platform* const known = platform == "auto" ? nullptr : parts_.platforms.find(platform);
  if (order_.job->exec && (known == nullptr || !known->exec)) {
    conclude(failure(
        Outcome::kCommandFailed,
        fmt::format("platform {} is not known to run commands over SSH's exec channel", platform)));
    return true;
  }
  if (known == nullptr) return false;
  std::optional<Dialogue::Output> output = Dialogue::output_without_device(*known, configuration());
  if (!output) return false;
  add_output(*std::move(output), {}, Outcome::kOk, Milliseconds(0));
  conclude({});
  result_.duration = std::chrono::round<Milliseconds>(BootClock::now() - started_);
  return true;
}

// The job's, with this host's own lines if it has some.
Configuration Session::configuration() const {
  Configuration configuration = order_.job->configuration;
  std::string_view text = order_.task.configuration.view();
  if (text.empty()) return configuration;
  configuration.lines.clear();
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    configuration.lines.emplace_back(line);
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return configuration;
}

asio::awaitable<ssh::Attempt<void>> Session::log_in() {
  const JobSpec& job = *order_.job;
  doing_ = Doing::kConnecting;
  stage("connecting");
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  connection_ = std::make_unique<ssh::Connection>(executor);
  if (stopped_) co_return failure(Outcome::kCancelled, *stopped_);
  if (lease_is_over()) co_return failure(Outcome::kCancelled, kLeaseLost);
  ssh::Attempt<void> attempt = co_await jump();
  if (!attempt) co_return attempt;
  if (lease_is_over()) co_return failure(Outcome::kCancelled, kLeaseLost);
  ssh::Target target{order_.task.address.str(),
                     order_.task.port,
                     job.legacy_algorithms,
                     job.host_key_policy,
                     order_.task.host.str(),
                     order_.task.ssh_options.str(),
                     {}};
  if (order_.route != nullptr) target.behind = order_.route->places();
  const TimePoint connect_deadline =
      std::min(task_deadline_, BootClock::now() + job.timeouts.connect);
  attempt = co_await connection_->connect(std::move(target), parts_.resolver, parts_.known_hosts,
                                          connect_deadline);
  if (!attempt) co_return attempt;
  doing_ = Doing::kLoggingIn;
  stage("logging in");
  login_deadline_ = std::min(task_deadline_, BootClock::now() + job.timeouts.auth);
  if (lease_is_over()) co_return failure(Outcome::kCancelled, kLeaseLost);
  attempt =
      co_await connection_->authenticate(order_.task.user.str(), order_.identity, login_deadline_);
  if (!attempt) co_return attempt;
  if (job.exec) co_return attempt;
  stage("opening the shell");
  attempt = co_await connection_->open_shell(login_deadline_);
  co_return attempt;
}

// The way over jump hosts, if the device has one, takes the place of a TCP connection.
asio::awaitable<ssh::Attempt<void>> Session::jump() {
  if (order_.route == nullptr) co_return ssh::Attempt<void>{};
  jump_request_ = jumps_.request(*order_.route);
  auto stream = co_await jump_request_->open(order_.task.address.str(), order_.task.port,
                                             order_.job->timeouts.connect, task_deadline_);
  jump_request_.reset();
  result_.jump = stream ? stream->via : stream.error().via;
  if (!stream) co_return std::unexpected(std::move(stream.error().failure));
  passage_ = std::move(stream->passage);
  connection_->adopt(stream->descriptor.release());
  co_return ssh::Attempt<void>{};
}

Expected<Dialogue::Options> Session::dialogue_options() const {
  const JobSpec& job = *order_.job;
  Dialogue::Options options;
  options.mode = job.mode;
  options.configuration = configuration();
  options.commands = job.commands;
  for (const ExpectedQuestion& expected : job.answers) {
    Expected<Pattern> question = Pattern::compile(expected.pattern);
    if (!question) return fail(std::move(question.error().message));
    options.answers.push_back({*std::move(question), expected.reply});
  }
  options.user = order_.task.user.str();
  const Credential& credential = order_.identity->credential();
  options.password = &credential.password;
  options.enable_password = &credential.enable_password;
  options.max_output = job.max_output;
  options.server_identification = connection_->server_identification();
  options.banner = connection_->banner();
  if (is_remembered()) options.remembered_platform = order_.task.remembered_platform.str();
  return options;
}

asio::awaitable<ssh::Attempt<void>> Session::converse() {
  doing_ = Doing::kPreparing;
  Expected<Dialogue::Options> options = dialogue_options();
  if (!options) co_return failure(Outcome::kInternal, std::move(options.error().message));
  if (recorder_) recorder_->begin(*options);
  dialogue_.emplace(parts_.platforms, order_.task.platform.str(), *std::move(options));
  while (true) {
    ssh::Attempt<void> sent = co_await send_outgoing(conversation_deadline());
    if (dialogue_->phase() == Dialogue::Phase::kDone) break;
    const bool leaving = dialogue_->phase() == Dialogue::Phase::kLogout;
    if (!sent && leaving) break;  // all was done
    if (!sent) co_return sent;
    const ssh::Attempt<std::size_t> got =
        co_await connection_->read(read_buffer_, conversation_deadline());
    if (!got && leaving) break;
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) {
      if (recorder_) recorder_->closed();
      dialogue_->closed();
    } else {
      if (recorder_) recorder_->received({read_buffer_.data(), *got});
      dialogue_->receive({read_buffer_.data(), *got});
      take_settled();
    }
    note_progress(BootClock::now());
  }
  if (const auto& failed = dialogue_->failure()) co_return failure(failed->outcome, failed->reason);
  co_return ssh::Attempt<void>{};
}

asio::awaitable<ssh::Attempt<void>> Session::execute() {
  doing_ = Doing::kCommand;
  exec_.emplace(*connection_, *order_.job, *order_.lease, parts_.spool, task_deadline_,
                [this](std::string name) { stage(std::move(name)); });
  ssh::Attempt<void> attempt = co_await exec_->run();
  result_.commands = std::move(exec_->results());
  result_.command_sent = !result_.commands.empty();
  result_.error = exec_->error(where());
  fenced_ = fenced_ || exec_->fenced();
  co_return attempt;
}

// Asked before every act on the device (PROTOCOL.md §6).
bool Session::lease_is_over() {
  if (!order_.lease->valid(BootClock::now())) fenced_ = true;
  return fenced_;
}

asio::awaitable<ssh::Attempt<void>> Session::send_outgoing(TimePoint deadline) {
  Dialogue::Outgoing outgoing = dialogue_->take_outgoing();
  if (outgoing.bytes.empty()) co_return ssh::Attempt<void>{};
  if (lease_is_over()) co_return failure(Outcome::kCancelled, kLeaseLost);
  if (dialogue_->phase() == Dialogue::Phase::kCommand) {
    result_.command_sent = true;
    if (doing_ != Doing::kCommand) output_started_ = BootClock::now();
    doing_ = Doing::kCommand;
  }
  if (turns_ != dialogue_->turns()) {
    turns_ = dialogue_->turns();
    turn_started_ = BootClock::now();
    if (dialogue_->phase() == Dialogue::Phase::kCommand) stage(dialogue_->stage());
  }
  if (recorder_) recorder_->typed(outgoing.bytes, outgoing.secret);
  ssh::Attempt<void> sent = co_await connection_->write(std::move(outgoing.bytes), deadline);
  co_return sent;
}

TimePoint Session::conversation_deadline() const {
  const bool leaving = dialogue_->phase() == Dialogue::Phase::kLogout;
  if (doing_ != Doing::kCommand && !leaving) return login_deadline_;
  return std::min(task_deadline_,
                  turn_started_ + (leaving ? kCloseWithin : order_.job->timeouts.command));
}

// Notes how long each output took that has ended since the last look. Its text stays where it is:
// it may still grow.
void Session::note_progress(TimePoint now) {
  while (durations_.size() < dialogue_->outputs().size()) {
    durations_.push_back(std::chrono::round<Milliseconds>(now - output_started_));
    output_started_ = now;
  }
}

// Everything that the dialogue has, with what an unfinished command printed (outcome `unfinished`).
void Session::take_outputs(Outcome unfinished) {
  note_progress(BootClock::now());
  auto& outputs = dialogue_->outputs();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    add_output(std::move(outputs[i]), settled_of(i), Outcome::kOk, durations_[i]);
  }
  if (unfinished == Outcome::kOk || doing_ != Doing::kCommand) return;
  Dialogue::Output partial = dialogue_->take_partial_output();
  if (partial.command.empty()) return;
  add_output(std::move(partial), settled_of(outputs.size()), unfinished,
             std::chrono::round<Milliseconds>(BootClock::now() - output_started_));
}

// Of a large output all but its end goes to the disk while it comes.
void Session::take_settled() {
  const std::string bytes = dialogue_->take_settled();
  if (bytes.empty()) return;
  // What the disk does not take stays in memory; the outbox says so.
  [[maybe_unused]] const auto kept =
      settled_[dialogue_->outputs().size()].append(bytes, parts_.spool);
}

OutputText Session::settled_of(std::size_t output) {
  const auto node = settled_.extract(output);
  return node.empty() ? OutputText() : std::move(node.mapped());
}

// The first that failed is the task's error, unless a commit was therefore not confirmed.
void Session::add_output(Dialogue::Output output, OutputText settled, Outcome outcome,
                         Milliseconds duration) {
  using Kind = Dialogue::Output::Kind;
  if (output.failed && (result_.error.empty() || output.kind == Kind::kConfirm)) {
    result_.error =
        output.kind == Kind::kConfiguration || output.kind == Kind::kConfirm
            ? fmt::format("configure {}: {}", where(), output.error)
            : fmt::format("run '{}' on {}: refused: {}", output.command, where(), output.error);
  }
  if (output.failed && outcome == Outcome::kOk) outcome = Outcome::kCommandFailed;
  OutputText text = settled.empty() ? OutputText(std::move(output.text)) : std::move(settled);
  if (output.taken > 0) text.append(output.text);
  result_.commands.push_back(
      {std::move(output.command), std::move(text), outcome, duration, output.truncated});
}

// Whether the server has the host key on which a platform was found before.
bool Session::is_remembered() const {
  return order_.task.remembered_key != 0 &&
         order_.task.remembered_key == connection_->host_key_digest();
}

// What is worth remembering of a device: a platform that was found and then served.
void Session::note_detection() {
  const bool served = result_.outcome == Outcome::kOk || result_.outcome == Outcome::kCommandFailed;
  if (!served || result_.evidence.empty() || result_.platform == "generic") return;
  if (is_remembered() && order_.task.remembered_platform == result_.platform) return;
  result_.found_on_key = connection_->host_key_digest();
}

TaskResult Session::defective(std::exception_ptr defect) const {
  TaskResult result;
  result.index = order_.key.index;
  result.attempt = order_.attempt;
  result.platform = order_.task.platform;
  try {
    std::rethrow_exception(defect);
  } catch (const std::exception& error) {
    result.error = fmt::format("{}: a defect of netfleet: {}", doing(), error.what());
  }
  return result;
}

std::string Session::where() const {
  const TaskSpec& task = order_.task;
  const bool v6 = task.address.view().contains(':');
  return fmt::format("{} ({}{}{}:{}){}{}", task.host, v6 ? "[" : "", task.address, v6 ? "]" : "",
                     task.port, result_.jump.empty() ? "" : " via ", result_.jump);
}

std::string Session::doing() const {
  switch (doing_) {
    case Doing::kConnecting:
      return "connect " + where();
    case Doing::kLoggingIn:
      return fmt::format("log in to {} as {}", where(), order_.task.user);
    case Doing::kPreparing:
    case Doing::kCommand:
      break;
  }
  const std::string doing = exec_ ? exec_->doing() : dialogue_ ? dialogue_->doing() : "";
  if (doing.empty()) return "find the prompt of " + where();
  return fmt::format("{} on {}", doing, where());
}

void Session::conclude(const ssh::Attempt<void>& attempt) {
  if (attempt) {
    fenced_ = false;  // only the farewell was
    result_.outcome = result_.error.empty() ? Outcome::kOk : Outcome::kCommandFailed;
    return;
  }
  result_.outcome = attempt.error().outcome;
  std::string reason = attempt.error().reason;
  if (stopped_) {
    result_.outcome = Outcome::kCancelled;
    reason = *stopped_;
  } else if (result_.outcome == Outcome::kTimedOut && BootClock::now() >= task_deadline_) {
    reason = fmt::format("timed out after {} for the whole task",
                         format_duration(order_.job->timeouts.task));
  } else if (result_.outcome == Outcome::kTimedOut && dialogue_) {
    const Milliseconds limit =
        doing_ == Doing::kCommand ? order_.job->timeouts.command : order_.job->timeouts.auth;
    reason = fmt::format("timed out after {}", format_duration(limit));
  }
  if (dialogue_ && result_.outcome == Outcome::kTimedOut && !dialogue_->last_line().empty()) {
    reason += fmt::format("; {} \"{}\"", dialogue_->asks() ? "it asked" : "the last line was",
                          dialogue_->last_line());
  }
  // What a configuration failed with comes before what went wrong on the way out of it.
  if (!result_.error.empty()) result_.error += "; then: ";
  result_.error += fmt::format("{}: {}", doing(), reason);
}

}  // namespace netfleet

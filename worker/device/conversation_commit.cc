// The part of the conversation that makes a configuration effective, or forgets it, or saves it.
#include <fmt/format.h>

#include <algorithm>

#include "common/duration.h"
#include "worker/device/conversation.h"
#include "worker/device/text.h"

namespace netfleet {
namespace {

using Kind = Dialogue::Output::Kind;

constexpr std::size_t kSuccessSearch = 64u << 10;  // a success stands at the end of an output
constexpr std::size_t kMaxShown = 200;             // characters of the line shown instead of one

}  // namespace

// One line typed and answered, as an output of its own.
Script Conversation::run_step(Step step) {
  phase_ = Phase::kCommand;
  running_ = {};
  running_.command = step.command;
  running_.kind = step.kind;
  answers_ = step.answers;
  Script execution = execute(step.command);
  co_await execution;
  answers_ = nullptr;
  if (step.judged) {
    find_refusal(running_);
    if (step.failure != nullptr && *step.failure) find_match(running_, **step.failure);
    if (step.success != nullptr && *step.success) demand(running_, **step.success);
  }
  outputs_.push_back(std::exchange(running_, {}));
}

void Conversation::demand(Output& output, const Pattern& success) const {
  std::string_view text = output.text;
  if (output.failed ||
      success.matches(text.substr(text.size() - std::min(text.size(), kSuccessSearch)))) {
    return;
  }
  text = text.substr(0, text.find_last_not_of(" \n") + 1);  // npos + 1 is 0
  text = text.substr(text.rfind('\n') + 1);
  output.failed = true;
  output.error = without_secrets(fmt::format("nothing says that it worked; the last line is \"{}\"",
                                             printable(text, kMaxShown)));
}

// Check, difference, commit; each only after the one before went well.
Script Conversation::commit(const std::string& command) {
  const Platform::Commit& how = *platform_->configure->commit;
  if (!how.check.empty()) {
    Script check =
        run_step({how.check, Kind::kCommit, &how.answers, &how.check_success, &how.failure});
    co_await check;
    broken_off_ = outputs_.back().failed;
    if (broken_off_) co_return;
  }
  if (!how.diff.empty()) {
    Script diff = run_step({.command = how.diff, .kind = Kind::kCommit, .judged = false});
    co_await diff;
  }
  if (options_.configuration.dry_run) co_return;
  Script committing = run_step({command, Kind::kCommit, &how.answers, &how.success, &how.failure});
  co_await committing;
  broken_off_ = outputs_.back().failed;
  if (!broken_off_ || how.failure_detail.empty()) co_return;
  Script detail = run_step({.command = how.failure_detail, .kind = Kind::kCommit, .judged = false});
  co_await detail;
}

Script Conversation::forget_configuration() {
  const Platform::Configure& how = *platform_->configure;
  Script way = go_to(how.mode);
  co_await way;
  Script abort = run_step({how.commit->abort, Kind::kCommit, &how.commit->answers});
  co_await abort;
}

// The second commit of a confirmed one, unless a command said that something is wrong.
Script Conversation::confirm(const std::string& command) {
  const auto failed =
      std::find_if(outputs_.begin(), outputs_.end(), [](const Output& o) { return o.failed; });
  if (failed != outputs_.end()) {
    Output output{command, Kind::kConfirm, "", false, true, ""};
    output.error = fmt::format(
        "not confirmed, since '{}' was refused: {}; the device takes the configuration back within "
        "{}",
        failed->command, failed->error, format_duration(*options_.configuration.confirm_within));
    output.text = output.error + '\n';
    broken_off_ = true;
    outputs_.push_back(std::move(output));
    co_return;
  }
  const Platform::Configure& how = *platform_->configure;
  Script way = go_to(how.mode);
  co_await way;
  Script confirming =
      run_step({command, Kind::kConfirm, &how.commit->answers, nullptr, &how.commit->failure});
  co_await confirming;
  broken_off_ = outputs_.back().failed;
}

Script Conversation::save() {
  if (!platform_->save) co_return;  // what was committed lasts
  const Platform::Save& how = *platform_->save;
  Script way = go_to(how.mode);
  co_await way;
  Script saving = run_step({how.command, Kind::kSave, &how.answers, &how.success});
  co_await saving;
  broken_off_ = outputs_.back().failed;
}

}  // namespace netfleet

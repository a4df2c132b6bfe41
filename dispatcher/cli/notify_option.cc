#include "dispatcher/cli/notify_option.h"

#include <unistd.h>

#include <utility>
#include <vector>

#include "common/credential_source.h"

namespace netfleet {
namespace {

// The URL, which a file may keep from those who read command lines.
Expected<std::string> webhook_of(const RunOptions::Notify& notify, Console& console) {
  if (notify.webhook_file.empty()) return notify.webhook;
  std::vector<std::string> warnings;
  const auto read =
      read_secret({SecretSource::Kind::kFile, notify.webhook_file}, "webhook's address", warnings);
  if (!read) return std::unexpected(read.error());
  for (const std::string& warning : warnings) console.say("netfleet: " + warning);
  std::string url(read->reveal());
  if (auto good = check_webhook(url); !good) {
    return fail("--notify-webhook-file: " + good.error().message);
  }
  return url;
}

std::vector<std::string> secret_variables(const CredentialOptions& credentials) {
  std::vector<std::string> names;
  for (const SecretSource* source : {&credentials.password, &credentials.enable_password}) {
    if (source->kind == SecretSource::Kind::kEnvironment) names.push_back(source->argument);
  }
  if (!credentials.key_passphrase_env.empty()) names.push_back(credentials.key_passphrase_env);
  return names;
}

}  // namespace

Expected<SweepNotices> SweepNotices::make(const RunOptions& options, const SweepRecord& sweep,
                                          Console& console) {
  SweepNotices notices;
  const RunOptions::Notify& notify = options.notify;
  auto webhook = webhook_of(notify, console);
  if (!webhook) return std::unexpected(webhook.error());
  if (notify.command.empty() && webhook->empty()) return notices;
  notices.threshold_ = notify.failures;
  notices.started_at_ = sweep.started_at;
  notices.summary_.sweep = sweep.id;
  notices.summary_.total = sweep.total;
  notices.notifier_ = std::make_unique<Notifier>(NotifierOptions{
      .command = notify.command,
      .webhook = *std::move(webhook),
      .secrets = secret_variables(options.credentials),
      .say = [&console](const std::string& line) { console.say("netfleet: " + line); }});
  return notices;
}

void SweepNotices::count(Outcome outcome) {
  if (!notifier_) return;
  summary_.count(outcome);
  if (is_failure(outcome)) ++failures_;
  if (told_ || !threshold_ || !threshold_->reached(failures_, summary_.total)) return;
  told_ = true;
  notifier_->tell({.event = Notice::Event::kFailures,
                   .summary = summary_,
                   .started_at = started_at_,
                   .exit_status = std::nullopt,
                   .failed = {}});
}

void SweepNotices::ended(const SweepEnd& end, int exit_status) {
  if (!notifier_) return;
  notifier_->tell({.event = Notice::Event::kEnded,
                   .summary = end.report.summary,
                   .started_at = started_at_,
                   .exit_status = exit_status,
                   .failed = end.report.failed});
}

void SweepNotices::finish(int signal_fd) {
  if (notifier_) notifier_->finish(signal_fd);
}

}  // namespace netfleet

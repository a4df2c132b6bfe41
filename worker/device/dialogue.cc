#include "worker/device/dialogue.h"

#include "worker/device/configuration_plan.h"
#include "worker/device/conversation.h"

namespace netfleet {

Dialogue::Dialogue(const PlatformSet& platforms, const std::string& platform, Options options)
    : conversation_(std::make_unique<Conversation>(platforms, platform, std::move(options))) {}

Dialogue::~Dialogue() = default;

void Dialogue::receive(std::string_view bytes) { conversation_->receive(bytes); }

void Dialogue::closed() { conversation_->closed(); }

Dialogue::Outgoing Dialogue::take_outgoing() {
  return std::exchange(conversation_->outgoing(), {});
}

Dialogue::Phase Dialogue::phase() const { return conversation_->phase(); }

std::size_t Dialogue::command_index() const { return conversation_->outputs().size(); }

std::vector<Dialogue::Output>& Dialogue::outputs() { return conversation_->outputs(); }

std::string Dialogue::take_settled() { return conversation_->take_settled(); }
Dialogue::Output Dialogue::take_partial_output() { return conversation_->take_partial(); }

std::uint64_t Dialogue::turns() const { return conversation_->turns(); }

std::string Dialogue::doing() const { return conversation_->doing(); }

std::string Dialogue::stage() const { return conversation_->stage(); }

const std::optional<Dialogue::Failure>& Dialogue::failure() const {
  return conversation_->failure();
}

std::string Dialogue::platform_name() const { return conversation_->platform_name(); }

std::string Dialogue::evidence() const { return conversation_->evidence(); }

std::string Dialogue::last_line() const { return conversation_->last_line(); }

bool Dialogue::asks() const { return conversation_->asks(); }

std::optional<Dialogue::Output> Dialogue::output_without_device(
    const Platform& platform, const Configuration& configuration) {
  const Expected<ConfigurationPlan> plan = plan_configuration(platform, configuration);
  if (plan && !plan->rehearsed) return std::nullopt;
  Output output{"configure", Output::Kind::kConfiguration, "", false, false, ""};
  if (!plan) {
    output.failed = true;
    output.error = plan.error().message;
    return output;
  }
  for (const std::string& line : configuration.lines) (output.text += line) += '\n';
  if (configuration.save) (output.text += platform.save->command) += '\n';
  return output;
}

}  // namespace netfleet

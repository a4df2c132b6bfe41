#include "dispatcher/api/exchange.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "dispatcher/api/views.h"

namespace netfleet {
namespace {

int status_of(Refusal::Kind kind) {
  switch (kind) {
    case Refusal::Kind::kInvalid:
      return 400;
    case Refusal::Kind::kForbidden:
      return 403;
    case Refusal::Kind::kNotFound:
      return 404;
    case Refusal::Kind::kConflict:
      return 409;
    case Refusal::Kind::kBusy:
      return 503;
    case Refusal::Kind::kInternal:
      return 500;
  }
  return 500;
}

}  // namespace

ApiAnswer json_answer(int status, const nlohmann::json& body) {
  ApiAnswer answer;
  answer.status = status;
  answer.body = json_text(body) + "\n";
  return answer;
}

ApiAnswer refusal_answer(const Refusal& refusal) {
  return json_answer(status_of(refusal.kind), {{"error", refusal.message}});
}

ApiAnswer store_answer(const Error& error) {
  return refusal_answer({Refusal::Kind::kBusy, error.message});
}

Answer<std::string> act_audited(ApiContext& context, const ApiRequest& request, const ApiAct& act,
                                const std::function<Answer<std::string>()>& perform) {
  AuditRecord record{request.who(), request.from, act.action, act.object, "asked", act.detail};
  if (const auto written = context.audit.write(record); !written) {
    context.log(
        fmt::format("refused {} of {}: {}", act.action, record.who, written.error().message));
    return std::unexpected(Refusal{
        Refusal::Kind::kBusy, "not done, since it cannot be noted: " + written.error().message});
  }
  auto done = perform();
  record.outcome = done ? "done" : "refused";
  record.detail = done ? *done : done.error().message;
  if (const auto written = context.audit.write(record); !written) {
    context.log(fmt::format("{} of {} was {}, which the audit log does not say: {}", act.action,
                            record.who, record.outcome, written.error().message));
  }
  return done;
}

}  // namespace netfleet

#include "dispatcher/output/result_reader.h"

#include <fmt/format.h>

#include <array>
#include <bitset>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

namespace netfleet {
namespace {

constexpr std::size_t kDeepest = 16;
constexpr std::size_t kMostCommands = 20'000;

// Of a task, in the order of the line.
constexpr std::array<std::string_view, 15> kTaskFields = {
    "sweep",   "index",   "host",  "address", "port",       "platform",    "region",  "worker",
    "attempt", "outcome", "error", "jump",    "started_at", "duration_ms", "commands"};
enum TaskField : std::size_t {
  kSweep,
  kIndex,
  kHost,
  kAddress,
  kPort,
  kPlatform,
  kRegion,
  kWorker,
  kAttempt,
  kOutcome,
  kError,
  kJump,
  kStartedAt,
  kDuration,
  kCommands
};
constexpr std::array<std::string_view, 5> kCommandFields = {"command", "output", "outcome",
                                                            "duration_ms", "truncated"};
enum CommandField : std::size_t { kCommand, kOutput, kEnded, kTook, kTruncated };

// Takes nlohmann's events of a line. Depths: 1 the task's object, 2 its list of commands, 3 one of
// them; what lies elsewhere is passed over.
class Handler final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return value(Value()); }
  bool boolean(bool flag) override { return value(Value{.flag = flag}); }
  bool number_integer(number_integer_t) override { return value(Value{.other = true}); }
  bool number_unsigned(number_unsigned_t number) override { return value(Value{.number = number}); }
  bool number_float(number_float_t, const string_t&) override {
    return value(Value{.other = true});
  }
  bool string(string_t& text) override { return value(Value{.text = &text}); }
  bool binary(binary_t&) override { return wrong("it is no JSON"); }

  bool start_object(std::size_t) override {
    if (depth_ == 2 && in_commands_) {
      if (read_.result.commands.size() == kMostCommands) return wrong("it has too many commands");
      read_.result.commands.emplace_back();
      command_seen_.reset();
    } else if (!nested()) {
      return false;
    }
    return deeper();
  }
  bool end_object() override {
    --depth_;
    if (depth_ == 2 && in_commands_) return complete(command_seen_, kCommandFields);
    if (depth_ == 0) return complete(task_seen_, kTaskFields);
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ == 0) return wrong("it is no object");
    if (depth_ == 1 && field_ == kCommands) {
      in_commands_ = true;
    } else if (!nested()) {
      return false;
    }
    return deeper();
  }
  bool end_array() override {
    if (--depth_ == 1) in_commands_ = false;
    return true;
  }
  bool key(string_t& name) override {
    if (depth_ == 1) return enter(name, kTaskFields, task_seen_);
    if (depth_ == 3 && in_commands_) return enter(name, kCommandFields, command_seen_);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return wrong("it is no JSON");
  }

  Expected<ReadResult> take() && {
    if (!error_.empty()) return fail(error_);
    read_.result.index = read_.task.index;
    read_.task.platform = read_.result.platform;
    return std::move(read_);
  }
  const std::string& error() const { return error_; }

 private:
  // One of these, or null.
  struct Value {
    std::string* text = nullptr;
    std::optional<std::uint64_t> number{};
    std::optional<bool> flag{};
    bool other = false;
    bool is_null() const { return text == nullptr && !number && !flag && !other; }
  };

  bool wrong(std::string what) {
    if (error_.empty()) error_ = "no result of a sweep: " + std::move(what);
    return false;
  }
  bool deeper() { return ++depth_ <= kDeepest || wrong("it is nested too deeply"); }
  // An object or a list may only be there as the value of what is not known.
  bool nested() {
    if (depth_ == 1 && field_) return is_of_another_kind(kTaskFields[*field_]);
    if (depth_ == 2 && in_commands_) return wrong("a command is no object");
    if (depth_ == 3 && in_commands_ && field_) return is_of_another_kind(kCommandFields[*field_]);
    return true;
  }
  bool is_of_another_kind(std::string_view name) {
    return wrong(fmt::format("'{}' is of another kind", name));
  }

  template <std::size_t N>
  bool enter(std::string_view name, const std::array<std::string_view, N>& names,
             std::bitset<N>& seen) {
    field_.reset();
    for (std::size_t i = 0; i < N; ++i) {
      if (names[i] != name) continue;
      if (seen.test(i)) return wrong(fmt::format("'{}' is there twice", name));
      seen.set(i);
      field_ = i;
    }
    return true;
  }
  template <std::size_t N>
  bool complete(const std::bitset<N>& seen, const std::array<std::string_view, N>& names) {
    for (std::size_t i = 0; i < N; ++i) {
      if (!seen.test(i)) return wrong(fmt::format("it has no '{}'", names[i]));
    }
    field_.reset();
    return true;
  }

  bool value(Value given) {
    if (depth_ == 0) return wrong("it is no object");
    if (depth_ == 1 && field_) {
      return task_field(given) || is_of_another_kind(kTaskFields[*field_]);
    }
    if (depth_ == 2 && in_commands_) return wrong("a command is no object");
    if (depth_ == 3 && in_commands_ && field_) {
      return command_field(given) || is_of_another_kind(kCommandFields[*field_]);
    }
    return true;
  }

  bool task_field(Value& given) {
    TaskSpec& task = read_.task;
    TaskResult& result = read_.result;
    switch (static_cast<TaskField>(*field_)) {
      case kSweep:
        return given.text != nullptr;
      case kIndex:
        return take_number(given, task.index);
      case kHost:
        return take_shared(given, task.host);
      case kAddress:
        return take_shared(given, task.address);
      case kPort:
        return take_number(given, task.port);
      case kPlatform:
        return take_text(given, result.platform);
      case kRegion:
        return take_shared(given, task.region);
      case kWorker:
        return given.is_null() || take_text(given, result.worker);
      case kAttempt:
        return take_number(given, result.attempt);
      case kOutcome:
        return take_outcome(given, result.outcome);
      case kError:
        return given.is_null() || take_text(given, result.error);
      case kJump:
        return given.is_null() || take_text(given, result.jump);
      case kStartedAt:
        if (given.text != nullptr) result.started_at = parse_wall_time(*given.text);
        return given.is_null() || result.started_at.has_value();
      case kDuration:
        return take_duration(given, result.duration);
      case kCommands:
        return false;
    }
    std::unreachable();
  }

  bool command_field(Value& given) {
    CommandResult& command = read_.result.commands.back();
    switch (static_cast<CommandField>(*field_)) {
      case kCommand:
        return take_text(given, command.command);
      case kOutput:
        if (given.text != nullptr) command.output = OutputText(std::move(*given.text));
        return given.text != nullptr;
      case kEnded:
        return take_outcome(given, command.outcome);
      case kTook:
        return take_duration(given, command.duration);
      case kTruncated:
        command.truncated = given.flag.value_or(false);
        return given.flag.has_value();
    }
    std::unreachable();
  }

  static bool take_text(Value& given, std::string& target) {
    if (given.text != nullptr) target = std::move(*given.text);
    return given.text != nullptr;
  }
  static bool take_shared(const Value& given, SharedText& target) {
    if (given.text != nullptr) target = *given.text;
    return given.text != nullptr;
  }
  template <typename Number>
  static bool take_number(const Value& given, Number& target) {
    if (!given.number || *given.number > std::numeric_limits<Number>::max()) return false;
    target = static_cast<Number>(*given.number);
    return true;
  }
  static bool take_duration(const Value& given, Milliseconds& target) {
    std::uint32_t count = 0;  // 49 days: more than any task takes
    if (!take_number(given, count)) return false;
    target = Milliseconds(count);
    return true;
  }
  static bool take_outcome(const Value& given, Outcome& target) {
    const auto outcome = given.text != nullptr ? outcome_from_name(*given.text) : std::nullopt;
    if (outcome) target = *outcome;
    return outcome.has_value();
  }

  ReadResult read_;
  std::string error_;
  std::size_t depth_ = 0;
  bool in_commands_ = false;
  std::optional<std::size_t> field_;  // the value to come is of this one
  std::bitset<kTaskFields.size()> task_seen_;
  std::bitset<kCommandFields.size()> command_seen_;
};

}  // namespace

Expected<ReadResult> read_result_line(std::string_view line) {
  Handler handler;
  const bool whole = nlohmann::json::sax_parse(line, &handler);
  if (!whole && handler.error().empty()) return fail("no result of a sweep: it is no JSON");
  return std::move(handler).take();
}

}  // namespace netfleet

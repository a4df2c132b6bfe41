#include "worker/device/session_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <type_traits>
#include <utility>

#include "common/utf8.h"
#include "worker/device/text.h"

namespace netfleet {
namespace {

using Step = SessionLog::Step;

std::unexpected<Error> wrong(std::size_t line, std::string_view why) {
  return fail(fmt::format("{}: {}", line, why));
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text, int base = 10) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// None: an escape that there is not.
std::optional<std::string> unescape(std::string_view text) {
  constexpr std::string_view kNames = "rnbeat0\\";
  constexpr std::string_view kBytes{"\r\n\b\x1b\a\t\0\\", 8};
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      result += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    if (text[i] == 'x') {
      const std::string_view digits = text.substr(i + 1, 2);
      const auto byte = parse_number<std::uint8_t>(digits, 16);
      if (!byte || digits.size() != 2) return std::nullopt;
      result += static_cast<char>(*byte);
      i += 2;
      continue;
    }
    const std::size_t which = kNames.find(text[i]);
    if (which == std::string_view::npos) return std::nullopt;
    result += kBytes[which];
  }
  return result;
}

// What is being read, line by line. Each taker is given the text of a line with its word.
class Reader {
 public:
  Expected<void> line(std::string_view text, std::size_t number) {
    number_ = number;
    text = trim_left(text);
    at_.reset();
    if (const std::size_t digits = text.find_first_not_of("0123456789");
        digits != 0 && digits != std::string_view::npos && text[digits] == ' ') {
      const auto ms = parse_number<std::int64_t>(text.substr(0, digits));
      if (!ms) return wrong(number_, "no such time");
      at_ = Milliseconds(*ms);
      text = trim_left(text.substr(digits));
    }
    const std::size_t blank = text.find(' ');
    const std::string_view word = text.substr(0, blank);
    if (word.empty() || word == "#") return {};
    const auto taker = takers().find(word);
    if (taker == takers().end()) return wrong(number_, fmt::format("unknown word \"{}\"", word));
    auto value = unescape(blank == std::string_view::npos ? "" : text.substr(blank + 1));
    if (!value) return wrong(number_, "an escape that there is not");
    if (!(this->*taker->second)(std::move(*value))) {
      return wrong(number_, fmt::format("\"{}\" does not fit here", word));
    }
    return {};
  }

  Expected<SessionLog> end() {
    if (log_.platform.empty()) return fail("no platform is named");
    return std::move(log_);
  }

 private:
  using Take = bool (Reader::*)(std::string);
  // One for each word that sets a text, a number, a mark.
  template <auto Member>
  bool text(std::string value) {
    log_.*Member = std::move(value);
    return true;
  }
  template <auto Member>
  bool option(std::string value) {
    using Value = std::remove_cvref_t<decltype(log_.options.*Member)>;
    if constexpr (std::is_same_v<Value, bool>) {
      log_.options.*Member = true;
      return value.empty();
    } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
      (log_.options.*Member).push_back(std::move(value));
      return true;
    } else if constexpr (std::is_integral_v<Value>) {
      const auto number = parse_number<Value>(value);
      log_.options.*Member = number.value_or(0);
      return number.has_value();
    } else {
      log_.options.*Member = std::move(value);
      return true;
    }
  }
  template <auto Member>
  bool secret(std::string value) {
    log_.*Member = Secret(value);
    return true;
  }
  template <auto Member>
  bool configuration_mark(std::string value) {
    log_.options.configuration.*Member = true;
    return value.empty();
  }
  bool configure(std::string value) {
    log_.options.configuration.lines.push_back(std::move(value));
    return true;
  }
  bool confirm_within(std::string value) {
    const auto ms = parse_number<std::int64_t>(value);
    if (ms) log_.options.configuration.confirm_within = Milliseconds(*ms);
    return ms.has_value();
  }
  bool question(std::string value) {
    auto pattern = Pattern::compile(value);
    if (!pattern) return false;
    log_.options.answers.push_back({std::move(*pattern), ""});
    return true;
  }
  bool reply(std::string value) {
    if (log_.options.answers.empty()) return false;
    log_.options.answers.back().reply = std::move(value);
    return true;
  }
  bool device(std::string value) {
    const bool goes_on =
        !at_ && !log_.steps.empty() && log_.steps.back().kind == Step::Kind::kDevice;
    if (!goes_on) return add(Step::Kind::kDevice, std::move(value));
    log_.steps.back().bytes += value;
    return true;
  }
  bool netfleet(std::string value) { return add(Step::Kind::kNetfleet, std::move(value)); }
  bool closed(std::string value) { return value.empty() && add(Step::Kind::kClosed, ""); }
  bool add(Step::Kind kind, std::string bytes) {
    log_.steps.push_back({kind, std::move(bytes), number_, at_});
    return true;
  }
  bool output(std::string value) {
    log_.outputs.emplace_back();
    return value.empty();
  }
  bool output_line(std::string value) { return output_part(std::move(value) + "\n"); }
  bool output_part(std::string value) {
    if (log_.outputs.empty()) return false;
    log_.outputs.back().text += value;
    return true;
  }
  bool refused(std::string value) {
    if (log_.outputs.empty()) return false;
    log_.outputs.back().failed = true;
    log_.outputs.back().error = std::move(value);
    return true;
  }
  bool truncated(std::string value) {
    if (log_.outputs.empty() || !value.empty()) return false;
    return log_.outputs.back().truncated = true;
  }
  bool typing_varies(std::string value) { return (log_.typing_varies = value.empty()); }

  static const std::map<std::string_view, Take>& takers() {
    using Log = SessionLog;
    using Options = Dialogue::Options;
    static const std::map<std::string_view, Take> kTakers{
        {"host", &Reader::text<&Log::host>},
        {"platform", &Reader::text<&Log::platform>},
        {"ended", &Reader::text<&Log::ended>},
        {"detected", &Reader::text<&Log::detected>},
        {"failure", &Reader::text<&Log::failure>},
        {"server", &Reader::option<&Options::server_identification>},
        {"banner", &Reader::option<&Options::banner>},
        {"remembered", &Reader::option<&Options::remembered_platform>},
        {"user", &Reader::option<&Options::user>},
        {"mode", &Reader::option<&Options::mode>},
        {"command", &Reader::option<&Options::commands>},
        {"max-output", &Reader::option<&Options::max_output>},
        {"columns", &Reader::option<&Options::columns>},
        {"stop-on-error", &Reader::option<&Options::stop_on_error>},
        {"password", &Reader::secret<&Log::password>},
        {"enable-password", &Reader::secret<&Log::enable_password>},
        {"configure", &Reader::configure},
        {"save", &Reader::configuration_mark<&Configuration::save>},
        {"dry-run", &Reader::configuration_mark<&Configuration::dry_run>},
        {"confirm-within", &Reader::confirm_within},
        {"question", &Reader::question},
        {"reply", &Reader::reply},
        {"<", &Reader::device},
        {">", &Reader::netfleet},
        {"closed", &Reader::closed},
        {"output", &Reader::output},
        {"=", &Reader::output_line},
        {"=-", &Reader::output_part},
        {"refused", &Reader::refused},
        {"truncated", &Reader::truncated},
        {"typing-varies", &Reader::typing_varies},
    };
    return kTakers;
  }

  SessionLog log_;
  std::size_t number_ = 0;
  std::optional<Milliseconds> at_;
};

}  // namespace

std::size_t SessionLog::longest_run() const {
  std::size_t longest = 1;
  for (const Step& step : steps) longest = std::max(longest, step.bytes.size());
  return longest;
}

Expected<SessionLog> parse_session_log(std::string_view text) {
  Reader reader;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    if (auto read = reader.line(without_line_feed(text.substr(0, end + 1)), number); !read) {
      return std::unexpected(read.error());
    }
    text.remove_prefix(end + 1);
  }
  return reader.end();
}

std::string escape(std::string_view bytes) {
  constexpr std::string_view kNames = "rnbeat0\\";
  constexpr std::string_view kBytes{"\r\n\b\x1b\a\t\0\\", 8};
  std::string result;
  result.reserve(bytes.size() + bytes.size() / 16);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
      result += bytes[at];
      continue;
    }
    const std::size_t size = character_size(bytes.substr(at));
    const bool c1_control =
        size == 2 && byte == 0xc2 && static_cast<unsigned char>(bytes[at + 1]) < 0xa0;
    if (size > 1 && !c1_control) {
      result += bytes.substr(at, size);
      at += size - 1;
      continue;
    }
    const std::size_t which = kBytes.find(bytes[at]);
    if (which != std::string_view::npos) {
      result += {'\\', kNames[which]};
    } else {
      fmt::format_to(std::back_inserter(result), "\\x{:02x}", byte);
    }
  }
  if (result.ends_with(' ')) result.replace(result.size() - 1, 1, "\\x20");
  return result;
}

}  // namespace netfleet

#include "common/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>

#include "common/duration.h"
#include "common/endpoint.h"
#include "common/utf8.h"

namespace netfleet {
namespace {

// What to say about an argument that nothing takes. Only an option's name is shown: what follows it
// may be a secret.
std::string unexpected_argument(const std::string& argument) {
  if (!argument.starts_with('-') || argument == "-") {
    return fmt::format("unexpected argument '{}'", to_utf8(argument));
  }
  const std::string name =
      argument.starts_with("--") ? argument.substr(0, argument.find('=')) : argument.substr(0, 2);
  if (name == "--password" || name == "-p" || name == "--enable-password") {
    return fmt::format(
        "{}: secrets are not taken on the command line, where others can read them; "
        "use {}-env, -file or -command",
        name, name == "-p" ? "--password" : name);
  }
  return fmt::format("unknown option {}", to_utf8(name));
}

// Behind an option's names only the name of its value: what excludes or needs what is said in
// words, where it matters, and by the error.
class PlainFormatter : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string value = option->get_type_size() == 0 ? "" : option->get_type_name();
    return value.empty() ? "" : " " + value;
  }
};

// CLI11's words for what is wrong with an option, made plainer. A value that a flag was given is
// not shown: somebody may have put a secret there.
std::string plain_words(const CLI::Error& error) {
  const std::string text = error.what();
  const std::string name = text.substr(0, text.find(": "));
  if (error.get_name() == "ArgumentMismatch") {
    const bool repeated = text.find("At Most") != std::string::npos;
    return fmt::format("{}: {}", name, repeated ? "it was given before" : "its value is missing");
  }
  if (error.get_name() == "ConversionError") {
    const std::size_t begin = text.find("--");
    const std::string flag = begin == std::string::npos ? "the option" : text.substr(begin);
    return fmt::format("{}: it takes no value", flag.substr(0, flag.find_first_of(" =")));
  }
  return text;
}

void add_secret_source(CLI::App& app, const std::string& stem, const std::string& what,
                       SecretSource& target) {
  const auto take = [&target, stem](SecretSource::Kind kind) {
    return [&target, kind, stem](const std::string& value) -> Expected<void> {
      if (target.given())
        return fail(fmt::format("{}-env, -file and -command exclude each other", stem));
      target = {kind, value};
      return {};
    };
  };
  add_value(app, stem + "-env", "VARIABLE", what + " from an environment variable", Times::kOnce,
            take(SecretSource::Kind::kEnvironment));
  add_value(app, stem + "-file", "FILE", what + " from a file's first line", Times::kOnce,
            take(SecretSource::Kind::kFile));
  add_value(app, stem + "-command", "COMMAND", what + " from a shell command's output",
            Times::kOnce, take(SecretSource::Kind::kCommand));
}

}  // namespace

Expected<std::uint64_t> parse_number(std::string_view text, std::uint64_t least,
                                     std::uint64_t most) {
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    return fail(fmt::format("'{}' is no number from {} to {}", to_utf8(text), least, most));
  }
  return number;
}

Expected<std::uint64_t> parse_size(std::string_view text) {
  int shift = 0;
  std::string_view digits = text;
  if (!digits.empty()) {
    constexpr std::string_view kUnits = "KMG";
    const std::size_t unit = kUnits.find(static_cast<char>(digits.back() & ~0x20));
    if (unit != std::string_view::npos) {
      shift = 10 * (static_cast<int>(unit) + 1);
      digits.remove_suffix(1);
    }
  }
  const auto number = parse_number(digits, 1, UINT64_MAX >> shift);
  if (!number) {
    return fail(fmt::format("'{}' is no size: expected bytes, or a number and K, M or G, as in 64M",
                            to_utf8(text)));
  }
  return *number << shift;
}

Expected<void> check_endpoint(const std::string& endpoint) {
  auto parsed = Endpoint::parse(endpoint);
  if (!parsed) return std::unexpected(parsed.error());
  if (parsed->is_inproc()) {
    return fail(fmt::format("'{}' is no endpoint: expected tcp://HOST:PORT or ipc://PATH",
                            to_utf8(endpoint)));
  }
  return {};
}

Expected<void> check_keys(const std::string& endpoint, const std::string& keys) {
  const auto parsed = Endpoint::parse(endpoint);
  if (!keys.empty() || (parsed && parsed->is_local())) return {};
  return fail(
      fmt::format("{} is not on loopback, so everybody on the network could come: CURVE is "
                  "required there; make keys with 'netfleet keygen' and give --keys DIR, or use "
                  "tcp://127.0.0.1:PORT or ipc://PATH",
                  to_utf8(endpoint)));
}

void add_value(CLI::App& app, const std::string& names, const std::string& value,
               const std::string& help, Times times, TakeValue take) {
  const std::string name = names.substr(names.rfind("--"));
  const auto callback = [take = std::move(take), name](const CLI::results_t& results) {
    for (const std::string& result : results) {
      const Expected<void> taken = result.empty() ? fail("the value is empty") : take(result);
      if (!taken) throw CLI::ValidationError(name, taken.error().message);
    }
    return true;
  };
  CLI::Option* option = app.add_option(names, CLI::callback_t(callback), help);
  option->type_name(value)->expected(1)->allow_extra_args(false);
  if (times == Times::kMany) option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_text(CLI::App& app, const std::string& names, const std::string& value,
              const std::string& help, std::string& target) {
  add_value(app, names, value, help, Times::kOnce, [&target](const std::string& given) {
    target = given;
    return Expected<void>{};
  });
}

void add_list(CLI::App& app, const std::string& names, const std::string& value,
              const std::string& help, std::vector<std::string>& target) {
  add_value(app, names, value, help, Times::kMany, [&target](const std::string& given) {
    target.push_back(given);
    return Expected<void>{};
  });
}

void add_number(CLI::App& app, const std::string& names, const std::string& help,
                std::uint32_t& target, std::uint32_t least, std::uint32_t most) {
  add_value(app, names, "N", help, Times::kOnce,
            [&target, least, most](const std::string& given) -> Expected<void> {
              const auto number = parse_number(given, least, most);
              if (!number) return std::unexpected(number.error());
              target = static_cast<std::uint32_t>(*number);
              return {};
            });
}

void add_duration(CLI::App& app, const std::string& names, const std::string& help,
                  Milliseconds& target) {
  add_value(app, names, "DURATION", help, Times::kOnce,
            [&target](const std::string& given) -> Expected<void> {
              const auto duration = parse_duration(given);
              if (!duration) return std::unexpected(duration.error());
              if (duration->count() == 0) return fail("it must be greater than zero");
              target = *duration;
              return {};
            });
}

void add_credential_options(CLI::App& app, CredentialOptions& options, bool may_ask) {
  if (may_ask) {
    app.add_flag("--ask-password", options.ask_password,
                 "Ask for the password, even if a key or an agent may do");
  }
  add_secret_source(app, "--password", "The password", options.password);
  add_secret_source(app, "--enable-password", "The password for privileged mode",
                    options.enable_password);
  add_text(app, "--otp-command", "COMMAND",
           "Prints a one-time code; run for each login that asks for one", options.otp_command);
  add_list(app, "-k,--key", "FILE",
           "A private key; FILE-cert.pub beside it is its certificate (repeatable)", options.keys);
  add_text(app, "--key-passphrase-env", "VARIABLE",
           may_ask ? "The keys' passphrase (default: asked for when a key needs one)"
                   : "The keys' passphrase",
           options.key_passphrase_env);
  const auto take_agent = [&options](AgentUse use) {
    return [&options, use] {
      if (options.agent != AgentUse::kAuto) {
        throw CLI::ValidationError("--agent", "it and --no-agent exclude each other");
      }
      options.agent = use;
    };
  };
  app.add_flag_callback("--agent", take_agent(AgentUse::kOn), "Use the agent of SSH_AUTH_SOCK");
  app.add_flag_callback("--no-agent", take_agent(AgentUse::kOff),
                        "Do not use an agent (default: used when SSH_AUTH_SOCK is set)");
}

std::unexpected<Error> usage_error(std::string_view message, std::string_view command) {
  return fail(fmt::format("{}\nTry '{} --help'.", message, command));
}

Expected<std::optional<std::string>> parse_arguments(CLI::App& app, int argc,
                                                     const char* const* argv) {
  std::vector<CLI::App*> apps = {&app};
  for (CLI::App* verb : app.get_subcommands([](CLI::App*) { return true; })) apps.push_back(verb);
  for (CLI::App* one : apps) {
    one->allow_extras();
    one->formatter(std::make_shared<PlainFormatter>());
  }
  const auto command = [&] {
    const auto verbs = app.get_subcommands();
    return verbs.empty() ? app.get_name() : app.get_name() + " " + verbs.front()->get_name();
  };
  try {
    app.parse(argc, argv);
    for (const CLI::App* one : apps) {
      const std::vector<std::string> unexpected = one->remaining();
      if (!unexpected.empty())
        return usage_error(unexpected_argument(unexpected.front()), command());
    }
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    return app.help();
  } catch (const CLI::CallForVersion& version) {
    return fmt::format("{}\n", version.what());
  } catch (const CLI::Error& error) {
    return usage_error(plain_words(error), command());
  }
}

}  // namespace netfleet

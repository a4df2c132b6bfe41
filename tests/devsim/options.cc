#include "tests/devsim/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <sstream>

#include "common/duration.h"

namespace netfleet::devsim {
namespace {

constexpr const char* kDescription =
    R"(Simulated network devices: an SSH server for tests and benchmarks.

  devsim --listen 127.0.0.1:2201-2300 --write-inventory devices.txt
      a hundred IOS-like devices, sim-1 to sim-100, user admin, password admin
  devsim --listen 127.0.1.1-127.0.1.250:2222 --login-delay 500ms --command-delay 300ms
      250 of them on loopback addresses, as slow as real ones
  devsim --listen 127.0.0.1:0 --count 20 --fault silent:3 --fault slow:10%
      twenty ports chosen by the system, some devices broken
  devsim --listen 127.0.0.1:2201-2202 --platform linux:2 --auth keyboard-interactive,publickey \
         --key-file ~/.ssh/id_ed25519.pub --record events.jsonl --stats
  devsim --print-output 'show version' --hostname sim-7
      what a perfect client collects of that command from that device

It prints "ready N devices" once all listen and ends by SIGTERM or SIGINT.)";

struct Raw {
  std::vector<std::string> listen;
  std::vector<std::string> platforms;
  std::vector<std::string> faults;
  std::string hostname = "sim-{n}";
  std::string auth = "password";
  std::string key_file;
  std::string record_file;
  std::string login_delay = "0";
  std::string command_delay = "0";
  std::string print_output;
  std::size_t count = 1;
  int length = -1;
};

void declare(CLI::App& app, Raw& raw, Options& options) {
  SessionOptions& session = options.session;
  app.add_option("--listen", raw.listen,
                 "ADDRESS[-ADDRESS]:PORT[-PORT], a device each; repeatable");
  app.add_option("--count", raw.count, "devices for each port 0 of --listen")
      ->check(CLI::Range(1, 65536));
  app.add_option("--hostname", raw.hostname, "names; {n} is the device's number, from 1")
      ->capture_default_str();
  app.add_option(
      "--platform", raw.platforms,
      "NAME or NAME:DEVICES: cisco_ios (default), linux, generic, frr_vtysh, juniper_junos, "
      "arista_eos, mikrotik_routeros; repeatable");
  app.add_option(
      "--fault", raw.faults,
      "NAME:DEVICES; DEVICES is 3, 5-7, 10% or all, with commas; NAME is one of " + fault_names());
  app.add_option("--user", session.user)->capture_default_str();
  app.add_option("--password", session.password)->capture_default_str();
  app.add_option("--enable-password", session.cli.enable_password, "asked by enable and sudo -s");
  app.add_flag("--confirm-save", session.cli.confirm_save,
               "cisco_ios: write memory asks before it overwrites");
  app.add_option("--key-file", raw.key_file, "authorized_keys for publickey");
  app.add_option("--auth", raw.auth, "password, keyboard-interactive, publickey, none; with commas")
      ->capture_default_str();
  app.add_option("--privilege", session.cli.privilege, "1 begins in user mode")
      ->check(CLI::Range(0, 15))
      ->capture_default_str();
  app.add_option("--login-delay", raw.login_delay, "before a login is granted, as 500ms");
  app.add_option("--command-delay", raw.command_delay, "before a command's output, as 300ms");
  app.add_option("--hold", session.hold,
                 "commands wait while DIR holds a file with the device's name");
  app.add_option("--chunk", session.chunk, "bytes a write");
  app.add_option("--length", raw.length,
                 "rows a page whatever the client's terminal says; 0: no pages")
      ->check(CLI::Range(0, 10000));
  app.add_flag("--colour", session.cli.colour, "linux: coloured prompt, bracketed paste");
  app.add_flag("--erase-by-return", session.cli.erase_by_return,
               "the page mark goes by \\r, not \\b");
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 64))->capture_default_str();
  app.add_option("--host-key", options.host_key_file, "private key to use instead of a new one");
  app.add_option("--host-key-out", options.host_key_out, "write the host key to FILE and FILE.pub");
  app.add_flag("--fingerprint", options.print_fingerprint,
               "print the host key's fingerprint first");
  app.add_option("--write-inventory", options.inventory_file,
                 "write \"address:port platform\" lines");
  app.add_option("--ready-fd", options.ready_fd, "write the ready line there too, and close it");
  app.add_flag("--die-with-parent", options.die_with_parent, "end when the parent process does");
  app.add_option("--record", raw.record_file, "append what happens, a JSON line each");
  app.add_flag("--stats", options.stats, "print totals at the end");
  app.add_option("--print-output", raw.print_output, "print a command's output and leave");
}

Expected<int> parse_auth(const std::string& text) {
  int methods = 0;
  std::istringstream names(text);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == "password")
      methods |= SSH_AUTH_METHOD_PASSWORD;
    else if (name == "keyboard-interactive")
      methods |= SSH_AUTH_METHOD_INTERACTIVE;
    else if (name == "publickey")
      methods |= SSH_AUTH_METHOD_PUBLICKEY;
    else if (name == "none")
      methods |= SSH_AUTH_METHOD_NONE;
    else
      return fail(
          fmt::format("authentication '{}' is none of password, keyboard-interactive, "
                      "publickey, none",
                      name));
  }
  return methods;
}

struct PlatformRule {
  Platform platform;
  Selector selector;
};

Expected<std::vector<PlatformRule>> parse_platform_rules(const std::vector<std::string>& texts) {
  std::vector<PlatformRule> rules;
  for (const std::string_view text : texts) {
    const std::size_t colon = text.find(':');
    const auto platform = parse_platform(text.substr(0, colon));
    if (!platform) return std::unexpected(platform.error());
    auto selector =
        Selector::parse(colon == std::string_view::npos ? "all" : text.substr(colon + 1));
    if (!selector) return std::unexpected(selector.error());
    rules.push_back({*platform, std::move(*selector)});
  }
  return rules;
}

std::string name_of(const std::string& name_template, std::size_t number) {
  const std::size_t at = name_template.find("{n}");
  if (at == std::string::npos) return name_template;
  return name_template.substr(0, at) + std::to_string(number) + name_template.substr(at + 3);
}

Expected<std::vector<Device>> make_devices(const Raw& raw) {
  const auto platforms = parse_platform_rules(raw.platforms);
  if (!platforms) return std::unexpected(platforms.error());
  std::vector<FaultRule> faults;
  for (const std::string& text : raw.faults) {
    auto rule = parse_fault_rule(text);
    if (!rule) return std::unexpected(rule.error());
    faults.push_back(std::move(*rule));
  }
  std::vector<Device> devices;
  const auto add = [&](Endpoint endpoint) {
    Device device;
    device.number = devices.size() + 1;
    device.endpoint = endpoint;
    device.name = name_of(raw.hostname, device.number);
    for (const PlatformRule& rule : *platforms) {
      if (rule.selector.matches(device.number)) device.platform = rule.platform;
    }
    for (const FaultRule& rule : faults) {
      if (rule.selector.matches(device.number)) device.faults.add(rule.fault);
    }
    devices.push_back(std::move(device));
  };
  for (const std::string& text : raw.listen) {
    const auto endpoints = parse_endpoints(text);
    if (!endpoints) return std::unexpected(endpoints.error());
    for (const Endpoint endpoint : *endpoints) {
      for (std::size_t copy = 0; copy < (endpoint.port == 0 ? raw.count : 1); ++copy) add(endpoint);
    }
  }
  if (raw.listen.empty()) add({});  // for --print-output
  return devices;
}

Expected<void> interpret(const Raw& raw, Options& options) {
  if (!raw.print_output.empty()) options.print_output = raw.print_output;
  if (raw.listen.empty() && !options.print_output) return fail("--listen is required; see --help");
  auto devices = make_devices(raw);
  if (!devices) return std::unexpected(devices.error());
  options.devices = std::move(*devices);
  SessionOptions& session = options.session;
  const auto methods = parse_auth(raw.auth);
  if (!methods) return std::unexpected(methods.error());
  session.auth_methods = *methods;
  const auto login_delay = parse_duration(raw.login_delay);
  if (!login_delay) return std::unexpected(login_delay.error());
  session.login_delay = *login_delay;
  const auto command_delay = parse_duration(raw.command_delay);
  if (!command_delay) return std::unexpected(command_delay.error());
  session.command_delay = *command_delay;
  if (raw.length >= 0) session.length = static_cast<std::size_t>(raw.length);
  session.cli.user = session.user;
  if (!raw.key_file.empty()) {
    auto keys = read_authorized_keys(raw.key_file);
    if (!keys) return std::unexpected(keys.error());
    session.authorized_keys = std::move(*keys);
  }
  if (!raw.record_file.empty()) {
    auto record = Record::open(raw.record_file);
    if (!record) return std::unexpected(record.error());
    session.record = std::move(*record);
  }
  return {};
}

}  // namespace

std::expected<Options, Usage> parse_options(int argc, const char* const* argv) {
  CLI::App app(kDescription, "devsim");
  Raw raw;
  Options options;
  declare(app, raw, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream problem;
    const int status = app.exit(error, out, problem);
    return std::unexpected(Usage{status == 0 ? 0 : 2, out.str() + problem.str()});
  }
  if (auto done = interpret(raw, options); !done) {
    return std::unexpected(Usage{2, fmt::format("devsim: {}\n", done.error().message)});
  }
  return options;
}

}  // namespace netfleet::devsim

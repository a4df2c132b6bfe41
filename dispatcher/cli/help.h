// dispatcher/cli: the examples behind the lists of options in --help. Texts only.
#pragma once

#include <string_view>

namespace netfleet {

inline constexpr std::string_view kTopExamples = R"(Examples:
  netfleet run -i devices.txt -u admin -c "show version"
  netfleet results last
  netfleet diff
  netfleet platforms
  netfleet check -i devices.txt
  netfleet check nightly.yaml
  netfleet submit nightly --watch        let 'netfleet serve' do it
  netfleet status
'netfleet run --help' has more.)";

inline constexpr std::string_view kRunExamples = R"(Examples:
  Ask for the password, run one command everywhere, print in the order of the file:
    netfleet run -i devices.txt -u admin -c "show version"
  Two hosts by hand, several commands, the platform known:
    netfleet run -H 10.0.0.1,admin@10.0.0.2:2222 -P cisco_ios -c "show clock" -c "show users"
  Some hosts of a big inventory, one file a host:
    netfleet run -i inventory.yaml -l "region:eu and platform:cisco_ios" \
        -c "show running-config" --output-dir backup
  The same under version control, one commit a sweep:
    netfleet run -i inventory.yaml -c "show running-config" --git backup
  From a script: no questions, one JSON object a host, go on when a login is refused:
    netfleet run -i hosts.csv --password-env DEVICE_PASSWORD -c "show version" -o jsonl \
        --on-auth-failure continue > results.jsonl
  Hosts with equal outputs together, under names like sw[1-40,42]:
    netfleet run -i devices.txt -c "show vlan brief" -o grouped
  Tell others how it went, and at once when a twentieth has failed:
    netfleet run -i devices.txt -c "show version" --notify-webhook-file hook.url \
        --notify-failures 5%
  Hosts from a pipe, 500 sessions at once:
    grep edge devices.txt | netfleet run -i - -s 500 --commands-file checks.txt
  Configuration, line by line, kept in the device: first shown, then sent:
    netfleet run -i devices.txt --config-file ntp.cfg --dry-run
    netfleet run -i devices.txt --config-file ntp.cfg --save
  On devices that commit, taken back after 5 minutes unless they still answer:
    netfleet run -i edge.txt -P juniper_junos --config-line "set system host-name x" \
        --commit-confirmed 5m
  A command that asks; another mode of the platform:
    netfleet run -i devices.txt -c "clear counters" --answer '\[confirm\]=' --mode privileged
  A change to 5 hosts first, then to ever more, until 2% of all have failed; once it is mended,
  those that failed and the rest:
    netfleet run -i devices.txt --config-file ntp.cfg --canary 5 --batch 10% --batch-growth 2 \
        --batch-pause 5m --max-failures 2%
    netfleet run --resume last --only failed,skipped
  All of it from a file; what is given here goes before it:
    netfleet run nightly.yaml -l edge-7
  Go on after the dispatcher was killed; hosts and commands are in the store:
    netfleet run --resume last
  Let worker processes do the work (in other shells: netfleet-worker --dispatcher ...):
    netfleet run --listen tcp://127.0.0.1:7600 --min-workers 2 -i devices.txt -c "show clock"
  The same from other machines (keys: see 'netfleet keygen --help'):
    netfleet run --listen tcp://0.0.0.0:7600 --keys keys -i devices.txt -c "show clock"

A text inventory has one host a line, [user@]host[:port] and maybe a platform; # begins a comment.
A limit takes names and globs (edge-*), group:G, region:R, platform:P, data.KEY:VALUE, and, or, not,
( ); a comma means or; quotes take a word as it is: -l "group:edge and not data.site:'New York'".
A refused login ends the sweep by default, so that no account is locked out.
Durations: 500ms, 10s, 2m, 1h. Sizes: 4096, 64K, 16M.
Exit status: 0 every host ok; 1 some not; 2 wrong usage or input; 3 internal error; 4 ended by
refused logins; 130 interrupted.)";

inline constexpr std::string_view kDetectExamples = R"(Examples:
  netfleet detect -i devices.txt -u admin
  netfleet detect -H 10.0.0.1,10.0.0.2 -u admin -o jsonl
  netfleet detect -i devices.txt --store none     without what is remembered

What the inventory says of platforms does not count. Exit status as that of run.)";

inline constexpr std::string_view kWorkersExamples = R"(Examples:
  netfleet workers                      those of 'netfleet serve' on this machine
  netfleet workers --server https://hub.example.net:7680 --token-file night.token
  netfleet workers --dispatcher tcp://127.0.0.1:7600
  netfleet workers --dispatcher ipc:///run/netfleet/fleet -o jsonl)";

inline constexpr std::string_view kResultsExamples = R"(Examples:
  netfleet results                      the last sweep, as text
  netfleet results --list               all sweeps
  netfleet results last -o jsonl        the last sweep, one JSON object a host
  netfleet results -o grouped --diff    the hosts with equal outputs together
  netfleet results last -o summary --git backup
                                        a commit of what that sweep brought
  netfleet results last --server http://127.0.0.1:7680 --follow
                                        of a sweep that runs at a long-lived dispatcher)";

}  // namespace netfleet

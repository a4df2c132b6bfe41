#include "worker/ssh/host_key_names.h"

#include <algorithm>
#include <asio/ip/address.hpp>
#include <utility>

namespace netfleet::ssh {
namespace {

using Verdict = KnownHosts::Verdict;

// Which of two answers about one server counts.
int weight(Verdict verdict) {
  switch (verdict) {
    case Verdict::kRevoked:
      return 3;
    case Verdict::kChanged:
      return 2;
    case Verdict::kKnown:
      return 1;
    case Verdict::kUnknown:
      break;
  }
  return 0;
}

bool may_repeat(const asio::ip::address_v4& address) {
  const auto in = [number = address.to_uint()](std::uint32_t network, int bits) {
    return number >> (32 - bits) == network >> (32 - bits);
  };
  return in(0x0A000000, 8) || in(0xAC100000, 12) || in(0xC0A80000, 16) || in(0x64400000, 10) ||
         in(0xA9FE0000, 16) || in(0x7F000000, 8);
}

}  // namespace

bool may_repeat(std::string_view address) {
  asio::error_code not_literal;
  const auto literal = asio::ip::make_address(std::string(address), not_literal);
  if (not_literal) return address.find('.') == std::string_view::npos;
  if (literal.is_v4()) return may_repeat(literal.to_v4());
  const auto v6 = literal.to_v6();
  if (v6.is_v4_mapped()) return may_repeat(make_address_v4(asio::ip::v4_mapped, v6));
  const bool unique_local = (v6.to_bytes()[0] & 0xFE) == 0xFC;
  return unique_local || v6.is_link_local() || v6.is_loopback();
}

HostKeyNames::HostKeyNames(std::string address, std::uint16_t port, std::vector<std::string> behind)
    : address_(std::move(address)), port_(port) {
  for (std::string& chain : behind) names_.push_back(std::move(chain) + ">" + address_);
}

KnownHosts::Answer HostKeyNames::check(const KnownHosts& known_hosts, std::string_view key_type,
                                       std::string_view key) const {
  KnownHosts::Answer alone = known_hosts.check(address_, port_, key_type, key);
  if (names_.empty() || alone.verdict == Verdict::kRevoked) return alone;
  KnownHosts::Answer answer{Verdict::kUnknown, {}};
  for (const std::string& name : names_) {
    auto next = known_hosts.check(name, port_, key_type, key);
    if (weight(next.verdict) > weight(answer.verdict)) answer = std::move(next);
  }
  if (answer.verdict != Verdict::kUnknown) return answer;
  return alone.verdict == Verdict::kChanged && may_repeat(address_) ? answer : alone;
}

std::vector<std::string> HostKeyNames::key_types(const KnownHosts& known_hosts) const {
  for (const std::string& name : names_) {
    if (auto types = known_hosts.key_types(name, port_); !types.empty()) return types;
  }
  return known_hosts.key_types(address_, port_);
}

Expected<void> HostKeyNames::add(KnownHosts& known_hosts, std::string_view key_type,
                                 std::string_view key) const {
  if (names_.empty()) return known_hosts.add(address_, port_, key_type, key);
  for (const std::string& name : names_) {
    if (auto added = known_hosts.add(name, port_, key_type, key); !added) return added;
  }
  return {};
}

}  // namespace netfleet::ssh

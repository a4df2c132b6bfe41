// dispatcher/api: server-sent events out of the bytes of a stream, however they are cut. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "common/error.h"

namespace netfleet {

struct ServerEvent {
  std::string name;  // empty: "message"
  std::string data;  // its lines with '\n' between them
};

// As WHATWG's HTML says, without ids and times to reconnect: what ends with the stream is no event.
class EventReader {
 public:
  static constexpr std::size_t kLargest = 4u << 20;  // bytes of an event; more is an error

  using Visit = std::function<void(const ServerEvent& event)>;
  Expected<void> read(std::string_view bytes, const Visit& visit);

 private:
  void take_line(std::string_view line, const Visit& visit);

  std::string line_;        // begun
  bool after_cr_ = false;   // a '\n' now belongs to the line before
  bool first_line_ = true;  // may begin with a byte order mark
  bool has_data_ = false;
  ServerEvent event_;  // begun
};

}  // namespace netfleet

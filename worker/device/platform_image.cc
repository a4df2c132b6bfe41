#include "worker/device/platform_image.h"

#include <concepts>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/check.h"

namespace netfleet {
namespace {

template <typename T, typename U>
concept Is = std::same_as<std::remove_const_t<T>, U>;

// The members of each part, in one place for both ways. A member that is missing here does not
// compile: the bindings would be one too few.
template <typename Visit, Is<Platform::Mode> T>
void members(Visit& visit, T& part) {
  auto& [name, prompt, above] = part;
  visit(name, prompt, above);
}
template <typename Visit, Is<Platform::Answer> T>
void members(Visit& visit, T& part) {
  auto& [prompt, reply, bare, what] = part;
  visit(prompt, reply, bare, what);
}
template <typename Visit, Is<Platform::Prepare> T>
void members(Visit& visit, T& part) {
  auto& [command, when_prompt, new_prompt, mode] = part;
  visit(command, when_prompt, new_prompt, mode);
}
template <typename Visit, Is<Platform::Move> T>
void members(Visit& visit, T& part) {
  auto& [from, to, command, answers] = part;
  visit(from, to, command, answers);
}
template <typename Visit, Is<Platform::Commit> T>
void members(Visit& visit, T& part) {
  auto& [command, confirmed, confirm, check, diff, abort, success, check_success, failure,
         failure_detail, answers] = part;
  visit(command, confirmed, confirm, check, diff, abort, success, check_success, failure,
        failure_detail, answers);
}
template <typename Visit, Is<Platform::Block> T>
void members(Visit& visit, T& part) {
  auto& [begin, end] = part;
  visit(begin, end);
}
template <typename Visit, Is<Platform::Configure> T>
void members(Visit& visit, T& part) {
  auto& [mode, commit, blocks] = part;
  visit(mode, commit, blocks);
}
template <typename Visit, Is<Platform::Save> T>
void members(Visit& visit, T& part) {
  auto& [command, mode, answers, success] = part;
  visit(command, mode, answers, success);
}
template <typename Visit, Is<Platform::Probe> T>
void members(Visit& visit, T& part) {
  auto& [command, output] = part;
  visit(command, output);
}
template <typename Visit, Is<Platform::Detect> T>
void members(Visit& visit, T& part) {
  auto& [server, banner, prompt, probes, fallback] = part;
  visit(server, banner, prompt, probes, fallback);
}
template <typename Visit, Is<Platform> T>
void members(Visit& visit, T& part) {
  auto& [name, title, confidence, aliases, notes, detect, modes, confirm_prompt, prompt_after_text,
         context_lines, prepare, moves, configure, save, pager, pager_key, errors, volatile_text,
         confirmations, login, logout, logout_answers, line_ending, exec] = part;
  visit(name, title, confidence, aliases, notes, detect, modes, confirm_prompt, prompt_after_text,
        context_lines, prepare, moves, configure, save, pager, pager_key, errors, volatile_text,
        confirmations, login, logout, logout_answers, line_ending, exec);
}

// Sizes are two bytes: a whole file has less than 64 KiB of text.
class Writer {
 public:
  template <typename... Parts>
  void operator()(const Parts&... parts) {
    (write(parts), ...);
  }
  std::string take() { return std::move(bytes_); }

 private:
  void byte(unsigned value) { bytes_ += static_cast<char>(value); }
  void size(std::size_t value) {
    CHECK(value < 65'536);
    byte(value & 255u);
    byte(static_cast<unsigned>(value >> 8u));
  }
  void write(bool value) { byte(value ? 1 : 0); }
  void write(const std::string& text) {
    size(text.size());
    bytes_ += text;
  }
  void write(const Pattern& pattern) {
    write(pattern.expression());
    write(pattern.multi_line());
  }
  template <typename T>
  void write(const std::optional<T>& value) {
    write(value.has_value());
    if (value) write(*value);
  }
  template <typename T>
  void write(const std::vector<T>& values) {
    size(values.size());
    for (const T& value : values) write(value);
  }
  template <typename T>
  void write(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      byte(static_cast<unsigned>(value));
    } else {
      members(*this, value);
    }
  }

  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  template <typename... Parts>
  void operator()(Parts&... parts) {
    (read(parts), ...);
  }
  bool at_end() const { return bytes_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    CHECK(size <= bytes_.size());
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  std::uint8_t byte() { return static_cast<std::uint8_t>(take(1).front()); }
  std::size_t size() {
    const std::size_t low = byte();
    return low | std::size_t{byte()} << 8u;
  }
  void read(bool& value) { value = byte() != 0; }
  void read(std::string& text) { text = take(size()); }
  void read(Pattern& pattern) {
    std::string expression;
    bool multi_line = false;
    (*this)(expression, multi_line);
    pattern = Pattern::proven(std::move(expression), multi_line);
  }
  template <typename T>
  void read(std::optional<T>& value) {
    if (byte() != 0) read(value.emplace());
  }
  template <typename T>
  void read(std::vector<T>& values) {
    values.resize(size());
    for (T& value : values) read(value);
  }
  template <typename T>
  void read(T& value) {
    if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(byte());
    } else {
      members(*this, value);
    }
  }

  std::string_view bytes_;
};

}  // namespace

std::string platform_image(const Platform& platform) {
  Writer writer;
  writer(platform);
  return writer.take();
}

Platform platform_of_image(std::string_view image) {
  Platform platform;
  Reader reader(image);
  reader(platform);
  CHECK(reader.at_end());
  return platform;
}

}  // namespace netfleet

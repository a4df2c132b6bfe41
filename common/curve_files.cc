#include "common/curve_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/utf8.h"

namespace netfleet::curve {
namespace {

constexpr std::size_t kLargestFile = 64 << 10;  // some 500 public keys
constexpr std::string_view kSecretWord = "netfleet-secret";
constexpr std::string_view kPublicWord = "netfleet-public";
constexpr std::array kRoles = {Role::kDispatcher, Role::kWorker, Role::kOperator};

std::string make_it(const std::string& directory, std::string_view who) {
  return fmt::format("netfleet keygen {} {}", directory, who);
}

std::string secret_path(const std::string& directory, const Holder& holder) {
  if (holder.role == Role::kDispatcher) return directory + "/dispatcher.secret";
  return fmt::format("{}/{}-{}.secret", directory, role_name(holder.role), holder.name);
}

std::string list_directory(const std::string& directory, Role role) {
  return fmt::format("{}/{}s", directory, role_name(role));
}

std::string public_path(const std::string& directory, const Holder& holder) {
  if (holder.role == Role::kDispatcher) return directory + "/dispatcher.pub";
  return fmt::format("{}/{}.pub", list_directory(directory, holder.role), holder.name);
}

std::unexpected<Error> file_error(const std::string& path, std::string_view problem) {
  return fail(fmt::format("key {}: {}", path, problem));
}

// Everything of a file, in memory that is wiped; secret ones must be closed to others.
Expected<Secret> read_key_file(const std::string& path, bool secret) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return file_error(path, std::strerror(errno));
  const std::unique_ptr<const int, void (*)(const int*)> closing(
      &fd, [](const int* one) { close(*one); });
  struct stat status{};
  if (fstat(fd, &status) != 0) return file_error(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return file_error(path, "it is no regular file");
  if (secret && (status.st_mode & 077) != 0) {
    return file_error(path,
                      fmt::format("it is secret, and others may open it: chmod 600 {}", path));
  }
  if ((status.st_mode & 022) != 0) {
    return file_error(path, fmt::format("others may write it: chmod go-w {}", path));
  }
  if (status.st_uid != geteuid() && status.st_uid != 0) {
    return file_error(path, "it belongs to somebody else");
  }
  std::vector<char> bytes(kLargestFile + 1);
  std::size_t used = 0;
  ssize_t got = 1;
  while (got > 0 && used < bytes.size()) {
    got = read(fd, bytes.data() + used, bytes.size() - used);
    if (got < 0 && errno == EINTR)
      got = 1;
    else if (got > 0)
      used += static_cast<std::size_t>(got);
  }
  const int error = errno;
  Secret text({bytes.data(), used});
  wipe(bytes.data(), used);
  if (got < 0) return file_error(path, std::strerror(error));
  if (used > kLargestFile) return file_error(path, "it is too large for a file of keys");
  return text;
}

struct Line {
  std::string_view word;  // of the two kinds
  Holder holder;
  std::string_view key;
};

std::string_view take_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
  rest.remove_prefix(word.size());
  return word;
}

// One line of a key file. Nothing of it is repeated in an error: it may be the secret.
Expected<Line> parse_line(std::string_view text) {
  Line line;
  line.word = take_word(text);
  const std::string_view role = take_word(text);
  line.holder.name = std::string(take_word(text));
  line.key = take_word(text);
  const auto named = std::ranges::find(kRoles, role, role_name);
  if ((line.word != kSecretWord && line.word != kPublicWord) || named == kRoles.end() ||
      !check_name(line.holder.name) || !is_key(line.key) || !take_word(text).empty()) {
    return fail("expected 'netfleet-public ROLE NAME KEY' or 'netfleet-secret ROLE NAME KEY'");
  }
  line.holder.role = *named;
  return line;
}

// The keys of a file, all of the wanted kind. `text` must outlive them.
Expected<std::vector<Line>> parse_keys(const std::string& path, const Secret& text,
                                       std::string_view word, Role role) {
  std::vector<Line> lines;
  std::string_view rest = text.reveal();
  for (std::size_t number = 1; !rest.empty(); ++number) {
    std::string_view raw = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(raw.size() + 1, rest.size()));
    if (raw.ends_with('\r')) raw.remove_suffix(1);
    if (raw.find_first_not_of(" \t") == std::string_view::npos || raw.front() == '#') continue;
    auto line = parse_line(raw);
    if (!line) return fail(fmt::format("key {}:{}: {}", path, number, line.error().message));
    if (line->word != word || line->holder.role != role) {
      return fail(fmt::format(
          "key {}:{}: this is the {} key of {} {}; here belongs a {} key of {} {}", path, number,
          line->word == kSecretWord ? "secret" : "public", role_name(line->holder.role),
          line->holder.name, word == kSecretWord ? "secret" : "public",
          role == Role::kOperator ? "an" : "a", role_name(role)));
    }
    lines.push_back(*std::move(line));
  }
  if (lines.empty()) return file_error(path, "it holds no key");
  return lines;
}

Expected<KeyPair> read_secret_key(const std::string& path, Role role) {
  auto text = read_key_file(path, true);
  if (!text) return std::unexpected(text.error());
  auto lines = parse_keys(path, *text, kSecretWord, role);
  if (!lines) return std::unexpected(lines.error());
  if (lines->size() > 1) return file_error(path, "it holds more than one key");
  KeyPair pair;
  pair.holder = lines->front().holder;
  pair.secret_key = Secret(lines->front().key);
  auto public_key = public_key_of(pair.secret_key);
  if (!public_key) return file_error(path, public_key.error().message);
  pair.public_key = *std::move(public_key);
  return pair;
}

// The entries of a directory that start and end so, in order; nothing if there is none.
Expected<std::vector<std::string>> entries(const std::string& directory, std::string_view start,
                                           std::string_view end) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open_directory(opendir(directory.c_str()), closedir);
  if (open_directory == nullptr)
    return fail(fmt::format("{}: {}", directory, std::strerror(errno)));
  std::vector<std::string> names;
  while (const dirent* entry = readdir(open_directory.get())) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with('.') && name.starts_with(start) && name.ends_with(end)) {
      names.emplace_back(name);
    }
  }
  std::ranges::sort(names);
  return names;
}

Expected<void> add_to_list(AllowList& list, const std::string& directory, Role role) {
  const std::string folder = list_directory(directory, role);
  struct stat status{};
  if (stat(folder.c_str(), &status) != 0 && errno == ENOENT) return {};
  if ((status.st_mode & 022) != 0) {
    return fail(fmt::format("{}: others may write it, and so let in whom they like: chmod go-w {}",
                            folder, folder));
  }
  const auto names = entries(folder, "", ".pub");
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    const std::string path = folder + "/" + name;
    const auto text = read_key_file(path, false);
    if (!text) return std::unexpected(text.error());
    const auto lines = parse_keys(path, *text, kPublicWord, role);
    if (!lines) return std::unexpected(lines.error());
    for (const Line& line : *lines) {
      const auto [known, added] = list.try_emplace(std::string(line.key), line.holder);
      if (!added && known->second != line.holder) {
        return file_error(
            path, fmt::format("the key of {} {} is listed as that of {} {} too", role_name(role),
                              line.holder.name, role_name(known->second.role), known->second.name));
      }
    }
  }
  return {};
}

Expected<void> make_directory(const std::string& path, mode_t mode) {
  if (mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return {};
  return fail(fmt::format("make directory {}: {}", path, std::strerror(errno)));
}

// Complete or not there at all: written beside its place, then moved there.
Expected<void> write_file(const std::string& path, std::string_view text, mode_t mode,
                          bool replace) {
  const std::string draft = fmt::format("{}.{}.draft", path, getpid());
  const int fd = open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail(fmt::format("write {}: {}", draft, std::strerror(errno)));
  bool done = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
              fchmod(fd, mode) == 0 && fsync(fd) == 0;
  done = close(fd) == 0 && done;
  if (done) {
    done =
        replace ? rename(draft.c_str(), path.c_str()) == 0 : link(draft.c_str(), path.c_str()) == 0;
  }
  const int error = errno;
  unlink(draft.c_str());
  if (done) return {};
  return fail(fmt::format("write {}: {}", path, std::strerror(error)));
}

}  // namespace

Expected<AllowList> read_allow_list(const std::string& directory) {
  AllowList list;
  for (const Role role : {Role::kWorker, Role::kOperator}) {
    if (auto added = add_to_list(list, directory, role); !added) {
      return std::unexpected(added.error());
    }
  }
  return list;
}

Expected<DispatcherKeys> read_dispatcher_keys(const std::string& directory) {
  const std::string path = secret_path(directory, {Role::kDispatcher, {}});
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
    return file_error(
        path, fmt::format("it is not there; make it with '{}'", make_it(directory, "dispatcher")));
  }
  auto pair = read_secret_key(path, Role::kDispatcher);
  if (!pair) return std::unexpected(pair.error());
  auto list = read_allow_list(directory);
  if (!list) return std::unexpected(list.error());
  const bool any = std::ranges::any_of(
      *list, [](const auto& entry) { return entry.second.role == Role::kWorker; });
  if (!any) {
    return fail(fmt::format("no worker may join: {} holds no public key; make one with '{}'",
                            list_directory(directory, Role::kWorker),
                            make_it(directory, "worker NAME")));
  }
  return DispatcherKeys{
      directory, {std::move(pair->public_key), std::move(pair->secret_key), {}}, *std::move(list)};
}

namespace {

// Whose key, if several of this role have one here; empty: the only one.
Expected<WorkerKeys> read_own_keys(const std::string& directory, Role role,
                                   const std::string& name) {
  const std::string_view who = role_name(role);
  std::string path = secret_path(directory, {role, name});
  if (name.empty()) {
    const auto names = entries(directory, fmt::format("{}-", who), ".secret");
    if (!names) return std::unexpected(names.error());
    if (names->size() > 1) {
      return fail(fmt::format("{} holds the keys of several {}s ({}){}", directory, who,
                              fmt::join(*names, ", "),
                              role == Role::kWorker ? ": say with --name which" : ""));
    }
    if (!names->empty()) path = directory + "/" + names->front();
  }
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
    return fail(fmt::format(
        "{} holds no key of {}: make one with '{}', and give the dispatcher its .pub file",
        directory,
        name.empty() ? fmt::format("{} {}", role == Role::kWorker ? "a" : "an", who)
                     : fmt::format("{} {}", who, name),
        make_it(directory, fmt::format("{} {}", who, name.empty() ? "NAME" : name))));
  }
  auto pair = read_secret_key(path, role);
  if (!pair) return std::unexpected(pair.error());
  if (!name.empty() && pair->holder.name != name) {
    return file_error(path, fmt::format("it was made for {} {}", who, pair->holder.name));
  }
  const std::string server_path = public_path(directory, {Role::kDispatcher, {}});
  if (access(server_path.c_str(), F_OK) != 0 && errno == ENOENT) {
    return file_error(server_path,
                      "it is not there; copy it from the dispatcher's directory of keys");
  }
  const auto text = read_key_file(server_path, false);
  if (!text) return std::unexpected(text.error());
  const auto lines = parse_keys(server_path, *text, kPublicWord, Role::kDispatcher);
  if (!lines) return std::unexpected(lines.error());
  if (lines->size() > 1) return file_error(server_path, "it holds more than one key");
  return WorkerKeys{
      {std::move(pair->public_key), std::move(pair->secret_key), std::string(lines->front().key)},
      pair->holder.name};
}

}  // namespace

Expected<WorkerKeys> read_worker_keys(const std::string& directory, const std::string& name) {
  return read_own_keys(directory, Role::kWorker, name);
}

Expected<WorkerKeys> read_operator_keys(const std::string& directory) {
  return read_own_keys(directory, Role::kOperator, {});
}

Expected<Written> write_key_pair(const std::string& directory, const KeyPair& pair, bool replace) {
  const Holder& holder = pair.holder;
  const Written written{secret_path(directory, holder), public_path(directory, holder)};
  if (auto made = make_directory(directory, 0700); !made) return std::unexpected(made.error());
  if (holder.role != Role::kDispatcher) {
    auto made = make_directory(list_directory(directory, holder.role), 0755);
    if (!made) return std::unexpected(made.error());
  }
  for (const std::string* path : {&written.secret_file, &written.public_file}) {
    if (!replace && access(path->c_str(), F_OK) == 0) {
      return fail(
          fmt::format("{} is there already: --replace makes a new key, and the old one "
                      "stops to work",
                      *path));
    }
  }
  const std::string role(role_name(holder.role));
  std::string line;
  line.reserve(256);  // so that no copy of the secret stays behind
  line.append(kSecretWord).append(" ").append(role).append(" ").append(holder.name).append(" ");
  line.append(pair.secret_key.reveal()).append("\n");
  auto done = write_file(written.secret_file, line, 0600, replace);
  wipe(line.data(), line.size());
  if (!done) return std::unexpected(done.error());
  line = fmt::format("{} {} {} {}\n", kPublicWord, role, holder.name, pair.public_key);
  done = write_file(written.public_file, line, 0644, replace);
  if (!done) return std::unexpected(done.error());
  return written;
}

std::string allow_list_stamp(const std::string& directory) {
  std::string stamp;
  for (const Role role : {Role::kWorker, Role::kOperator}) {
    const std::string folder = list_directory(directory, role);
    const auto names = entries(folder, "", ".pub");
    if (!names) continue;
    for (const std::string& name : *names) {
      struct stat status{};
      const int unknown = stat((folder + "/" + name).c_str(), &status);
      stamp += fmt::format("{} {} {}.{} {} {};", name, unknown, status.st_mtim.tv_sec,
                           status.st_mtim.tv_nsec, status.st_size, status.st_ino);
    }
  }
  return stamp;
}

}  // namespace netfleet::curve

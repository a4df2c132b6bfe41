#include "worker/device/question.h"

#include "worker/device/pattern.h"

namespace netfleet {

bool asks_for_secret(std::string_view line) {
  static const Pattern kSecret =
      Pattern::compile(R"((?i)(?:pass(?:word|phrase|code)|secret|token|\bpin\b|\botp\b))"
                       R"(.{0,60}[:?>]\s*$)")
          .value();
  // "Do you want to change the password (Y/N)[Y] ?"
  static const Pattern kChoice =
      Pattern::compile(R"((?i)[(\[]\s?y(?:es)?\s?[/|]\s?no?\s?[)\]]\W{0,4}(?:[yn]\]?\W{0,4})?$)")
          .value();
  return kSecret.matches(line) && !kChoice.matches(line);
}

bool is_question(std::string_view line) {
  static const Pattern kQuestion =
      Pattern::compile(R"((?i)\S.{0,300}(?:\?.{0,60}|[:\]]|\((?:y|yes)\W(?:n|no)\).{0,20})\s*$)")
          .value();
  return line.size() <= kMaxQuestion && kQuestion.matches(line);
}

bool asks_for_new_password(std::string_view line) {
  static const Pattern kNewPassword =
      Pattern::compile(R"((?i)\b(?:new|old|current\)?)\s(?:\w+\s)?password.{0,20}[:>]\s*$)")
          .value();
  return kNewPassword.matches(line);
}

bool is_drawing(std::string_view line) {
  if (line.size() == 2 && line[1] == ' ') return false;
  return line == "#" || (line.size() > 1 && line.find_first_not_of(line[0]) == line.npos);
}

}  // namespace netfleet

#include "tests/simulation/losses.h"

namespace netfleet::simulation {
namespace {

template <typename Refs>
void add_tasks(std::vector<std::optional<TaskKey>>& subjects, const Refs& refs) {
  for (const auto& ref : refs) subjects.emplace_back(key_of(ref));
}

}  // namespace

std::vector<Losses::Subject> Losses::subjects_of(const v1::ToDispatcher& message) {
  std::vector<Subject> subjects;
  if (message.has_hello()) subjects.emplace_back();
  add_tasks(subjects, message.heartbeat().running());
  add_tasks(subjects, message.heartbeat().finished());
  add_tasks(subjects, message.heartbeat().released());
  add_tasks(subjects, message.release().tasks());
  for (const auto& offer : message.claim().offers()) subjects.emplace_back(key_of(offer.task()));
  return subjects;
}

std::vector<Losses::Subject> Losses::subjects_of(const v1::ToWorker& message) {
  std::vector<Subject> subjects;
  if (message.has_welcome() || message.has_hello_again() || message.has_job() ||
      message.has_renewal()) {
    subjects.emplace_back();
  }
  for (const auto& task : message.grant().tasks()) subjects.emplace_back(key_of(task.task()));
  return subjects;
}

// Whether fewer than the most have been lost of what the subject's lease hangs on.
bool Losses::spared(const std::vector<Loss>& lost, const Subject& subject) {
  const auto count = [&lost](const Subject& which) {
    return std::count_if(lost.begin(), lost.end(), [&which](const Loss& one) {
      return !one.subject || one.subject == which;
    });
  };
  if (count(subject) >= kMost) return false;
  return subject || std::none_of(lost.begin(), lost.end(), [&count](const Loss& one) {
           return one.subject && count(one.subject) >= kMost;
         });
}

}  // namespace netfleet::simulation

#include "dispatcher/api/metrics.h"

#include <dirent.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string_view>

namespace netfleet {
namespace {

using prometheus::Labels;

// Made anew for each scrape: the service keeps the figures, and what is gone leaves no series.
class Figures {
 public:
  // The family is there even when nothing is added to it.
  class Family {
   public:
    Family(prometheus::Family<prometheus::Gauge>& family) : gauges_(&family) {}
    Family(prometheus::Family<prometheus::Counter>& family) : counters_(&family) {}
    void add(double value, const Labels& labels = {}) {
      if (gauges_ != nullptr) gauges_->Add(labels).Set(value);
      if (counters_ != nullptr) counters_->Add(labels).Increment(value);
    }

   private:
    prometheus::Family<prometheus::Gauge>* gauges_ = nullptr;
    prometheus::Family<prometheus::Counter>* counters_ = nullptr;
  };

  Family gauge(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry_);
  }
  Family counter(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry_);
  }

  std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, registry_.Collect());
    return std::move(out).str();
  }

 private:
  prometheus::Registry registry_;
};

double seconds(WallTime time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

void add_totals(Figures& figures, const ServiceFigures& from) {
  auto tasks = figures.counter("netfleet_tasks_total", "Tasks that were done, by outcome.");
  for (std::size_t i = 0; i < from.tasks_by_outcome.size(); ++i) {
    tasks.add(static_cast<double>(from.tasks_by_outcome[i]),
              {{"outcome", std::string(outcome_name(static_cast<Outcome>(i)))}});
  }
  const auto one = [&](const char* name, const char* help, std::uint64_t value) {
    figures.counter(name, help).add(static_cast<double>(value));
  };
  one("netfleet_sweeps_started_total", "Sweeps that were started.", from.sweeps_started);
  one("netfleet_sweeps_ended_total", "Sweeps that have ended.", from.sweeps_ended);
  one("netfleet_firings_skipped_total", "Firings of schedules that started nothing by rule.",
      from.firings_skipped);
  one("netfleet_firings_failed_total", "Firings of schedules whose sweep could not be started.",
      from.firings_failed);
  one("netfleet_retries_total", "Further attempts at tasks.", from.retries);
  one("netfleet_leases_lost_total", "Leases of workers that ran out or were given up.",
      from.leases_lost);
  one("netfleet_malformed_messages_total", "Messages that were no netfleet messages.",
      from.malformed_messages);
  auto full = figures.gauge("netfleet_limit_full", "1: tasks wait for this limit now.");
  for (const std::string& limit : from.limits_full) full.add(1, {{"limit", limit}});
}

void add_sweeps(Figures& figures, const std::vector<LiveSweep>& live) {
  figures.gauge("netfleet_sweeps_live", "Sweeps that run, or are being prepared or finished.")
      .add(static_cast<double>(live.size()));
  auto hosts = figures.gauge("netfleet_sweep_hosts", "Hosts of a live sweep.");
  auto done = figures.gauge("netfleet_sweep_hosts_done", "Of those, hosts with a safe result.");
  auto running = figures.gauge("netfleet_sweep_tasks_running", "Tasks of a live sweep at work.");
  auto asking = figures.gauge("netfleet_sweep_asking", "1: its roll-out waits for an answer.");
  for (const LiveSweep& sweep : live) {
    const Labels labels = {{"job", sweep.job}, {"sweep", sweep.id}};
    hosts.add(sweep.total, labels);
    done.add(sweep.done, labels);
    running.add(sweep.running, labels);
    asking.add(sweep.state == "asking" ? 1 : 0, labels);
  }
}

void add_workers(Figures& figures, const Answer<std::vector<WorkerInfo>>& workers) {
  auto count = figures.gauge("netfleet_workers", "Workers that are connected.");
  auto silent = figures.gauge("netfleet_workers_silent", "Of those, workers not heard of lately.");
  auto slots = figures.gauge("netfleet_slots", "Sessions that the workers can hold.");
  auto free = figures.gauge("netfleet_slots_free", "Of those, free ones.");
  if (!workers) return;  // unknown is not 0
  std::uint64_t all_slots = 0, all_free = 0, all_silent = 0;
  for (const WorkerInfo& worker : *workers) {
    all_slots += worker.slots;
    all_free += worker.free;
    all_silent += worker.silent ? 1 : 0;
  }
  count.add(static_cast<double>(workers->size()));
  silent.add(static_cast<double>(all_silent));
  slots.add(static_cast<double>(all_slots));
  free.add(static_cast<double>(all_free));
}

void add_schedules(Figures& figures, const std::vector<ScheduleView>& schedules) {
  auto next = figures.gauge("netfleet_schedule_next_start_timestamp_seconds",
                            "When a job's schedule fires next; none while it is paused.");
  auto success = figures.gauge("netfleet_schedule_last_success_timestamp_seconds",
                               "End of the job's newest sweep of which every host was ok.");
  auto paused = figures.gauge("netfleet_schedule_paused", "1: somebody paused it.");
  auto warning = figures.gauge("netfleet_schedule_warning", "1: something is wrong with it.");
  for (const ScheduleView& schedule : schedules) {
    const Labels labels = {{"job", schedule.job}};
    if (schedule.next) next.add(seconds(*schedule.next), labels);
    if (schedule.last_success) success.add(seconds(*schedule.last_success), labels);
    paused.add(schedule.paused ? 1 : 0, labels);
    warning.add(schedule.warning.empty() ? 0 : 1, labels);
  }
}

void add_health(Figures& figures, const Health& health, const ApiFigures& own) {
  figures.gauge("netfleet_healthy", "1: nothing is wrong; 0: /v1/health says what.")
      .add(health.ok && !own.audit_fails ? 1 : 0);
  figures.gauge("netfleet_problems", "Problems that /v1/health lists: the store's and others.")
      .add(static_cast<double>(health.problems.size() + (own.audit_fails ? 1 : 0)));
  figures.gauge("netfleet_build_info", "1, with the version as a label.")
      .add(1, {{"version", health.version}});
  figures.gauge("process_start_time_seconds", "Start of the service, in seconds since 1970.")
      .add(seconds(health.since));
  auto answers = figures.counter("netfleet_api_requests_total", "Answers, by HTTP status.");
  for (const auto& [status, count] : own.answers_by_status) {
    answers.add(static_cast<double>(count), {{"code", std::to_string(status)}});
  }
  figures.gauge("netfleet_api_streams", "Streams that are being read.").add(own.streams);
}

void add_process(Figures& figures) {
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) == 0) {
    const auto spent = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    figures.counter("process_cpu_seconds_total", "CPU time of the dispatcher, user and system.")
        .add(spent(used.ru_utime) + spent(used.ru_stime));
  }
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  if (file >> all >> resident) {
    const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
    figures.gauge("process_resident_memory_bytes", "Memory of the dispatcher that is in RAM.")
        .add(static_cast<double>(resident) * page);
    figures.gauge("process_virtual_memory_bytes", "Address space of the dispatcher.")
        .add(static_cast<double>(all) * page);
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"), closedir);
  if (!folder) return;
  int open = -3;  // ".", ".." and this one
  while (readdir(folder.get()) != nullptr) ++open;
  figures.gauge("process_open_fds", "Open file descriptors of the dispatcher.").add(open);
}

}  // namespace

std::string metrics_text(Service& service, const ApiFigures& own) {
  Figures figures;
  add_totals(figures, service.figures());
  add_sweeps(figures, service.live_sweeps());
  add_workers(figures, service.workers());
  add_schedules(figures, service.schedules());
  add_health(figures, service.health(), own);
  add_process(figures);
  return figures.text();
}

}  // namespace netfleet

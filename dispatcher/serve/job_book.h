// dispatcher/serve: the jobs of a directory, by name. One that is wrong does not hide the others,
// nor what it was before it became wrong.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "dispatcher/api/service.h"
#include "dispatcher/cli/serve_options.h"
#include "dispatcher/job/job.h"

namespace netfleet {

// One thread at a time.
class JobBook {
 public:
  // `home`: what "~/" in its paths stands for; `login`: who is logged in as when a job does not
  // say. `service` outlives it.
  JobBook(const ServeOptions& service, std::string home, std::string login)
      : service_(service), home_(std::move(home)), login_(std::move(login)) {}

  // Reads all *.yaml and *.yml of the directory. What is wrong is returned, a message a file; the
  // error is of the directory itself, and then nothing has changed. A job whose file is gone is
  // gone; one whose file is wrong stays as it was.
  Expected<std::vector<std::string>> reload();

  // Null when there is none, or it was never right.
  std::shared_ptr<const Job> find(std::string_view name) const;
  std::vector<std::string> names() const;  // of all that find() finds
  std::vector<JobView> views() const;

 private:
  struct Entry {
    std::string path;
    std::shared_ptr<const Job> job;
    std::string error;  // of the file as it is now
    bool changes = false;
  };
  Entry read(const std::string& path, std::string& name) const;

  const ServeOptions& service_;
  std::string home_;
  std::string login_;
  std::map<std::string, Entry, std::less<>> jobs_;
};

}  // namespace netfleet

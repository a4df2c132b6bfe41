// common: a container that most values of a kind leave empty, at the price of one pointer until
// something is put into it: a million hosts have room for data of their own, a thousand have any.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>

namespace netfleet {

// A value; reads as an empty Container as long as nothing has been put in.
template <typename Container>
class OnDemand {
 public:
  using value_type = Container::value_type;
  using const_iterator = Container::const_iterator;

  OnDemand() = default;
  OnDemand(Container content)  // NOLINT: stands in for one
      : content_(content.empty() ? nullptr : std::make_unique<Container>(std::move(content))) {}
  OnDemand(std::initializer_list<value_type> content) : OnDemand(Container(content)) {}
  OnDemand(const OnDemand& other) : OnDemand(*other) {}
  OnDemand(OnDemand&&) noexcept = default;
  OnDemand& operator=(const OnDemand& other) { return *this = OnDemand(other); }
  OnDemand& operator=(OnDemand&&) noexcept = default;

  const Container& operator*() const {
    static const Container empty;
    return content_ == nullptr ? empty : *content_;
  }
  const Container* operator->() const { return &**this; }
  const_iterator begin() const { return (**this).begin(); }
  const_iterator end() const { return (**this).end(); }
  bool empty() const { return content_ == nullptr || content_->empty(); }
  std::size_t size() const { return (**this).size(); }

  // To put something in.
  Container& edit() {
    if (content_ == nullptr) content_ = std::make_unique<Container>();
    return *content_;
  }

  friend bool operator==(const OnDemand& a, const OnDemand& b) { return *a == *b; }
  friend bool operator==(const OnDemand& a, const Container& b) { return *a == b; }

 private:
  std::unique_ptr<Container> content_;
};

}  // namespace netfleet

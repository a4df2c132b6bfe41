#include "dispatcher/fleet/hub.h"

namespace netfleet {

void Hub::receive_answer() {
  if (options_.question == nullptr || options_.question->fd() < 0) return;
  if (const auto go_on = options_.question->take_answer()) {
    ledger_.answer(sweep_.number, *go_on);
  }
}

}  // namespace netfleet

#include "signals.hpp"

#include <csignal>

namespace app {

namespace {

std::atomic<int> received = 0;
std::atomic<int> num_interrupts = 0;
static_assert(std::atomic<int>::is_always_lock_free, "needed in a signal handler");

void on_signal(int number) {
  if (number == SIGINT && num_interrupts.fetch_add(1) > 0) {
    std::signal(SIGINT, SIG_DFL);
    std::raise(SIGINT);
  }
  received.store(number);
}

}  // namespace

const std::atomic<int>& catch_stop_signals() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM, SIGUSR1}) sigaction(number, &action, nullptr);
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit shows as a failed write, and has an exit code
  return received;
}

}  // namespace app

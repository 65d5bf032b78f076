#pragma once

#include <atomic>

namespace app {

/// From now on SIGINT, SIGTERM and SIGUSR1 only set the returned flag to their number; a second
/// SIGINT ends the program the ordinary way.
const std::atomic<int>& catch_stop_signals();

}  // namespace app

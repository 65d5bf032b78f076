#include <libsolve/run/progress.hpp>

namespace libsolve {

Progress::~Progress() = default;
void Progress::message(const std::string&) {}
void Progress::phase(std::string_view, double) {}
void Progress::iteration(std::int64_t, double, std::span<const Sample>) {}

}  // namespace libsolve

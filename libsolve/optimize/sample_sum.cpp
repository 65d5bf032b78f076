#include <libsolve/optimize/sample_sum.hpp>

namespace libsolve {

SampleSum::~SampleSum() = default;

}  // namespace libsolve

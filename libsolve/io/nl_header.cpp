#include <charconv>
#include <cmath>
#include <libsolve/io/detail/file_text.hpp>
#include <libsolve/io/nl_header.hpp>
#include <numeric>

namespace libsolve {

namespace {

/// Sums of five counts are integers, too.
constexpr double largest_count = 4e8;

/// Numbers of a line, up to the first word that is none ("# ..." says what they mean).
std::vector<double> numbers_of(std::string_view line) {
  std::vector<double> numbers;
  const char* at = line.data();
  const char* end = at + line.size();
  while (true) {
    while (at != end && detail::is_blank(*at)) ++at;
    double value = 0.0;
    const auto [stop, code] = std::from_chars(at, end, value);
    if (code != std::errc() || (stop != end && !detail::is_blank(*stop) && *stop != '#')) break;
    numbers.push_back(value);
    at = stop;
  }
  return numbers;
}

class HeaderReader {
 public:
  HeaderReader(const std::string& path, std::string_view text) : scanner_(path, text) {}

  NlHeader read() {
    read_first_line();
    const auto sizes = counts(3, "variables, constraints, objectives");
    header_.num_variables = sizes[0];
    header_.num_constraints = sizes[1];
    header_.num_objectives = sizes[2];
    if (sizes.size() > 5) header_.num_logical_constraints = sizes[5];
    if (header_.num_variables == 0) scanner_.fail_at(2, "a problem without variables");
    const auto nonlinear = counts(2, "nonlinear constraints, objectives");
    header_.num_nonlinear_constraints = nonlinear[0];
    for (std::size_t k = 2; k < std::min<std::size_t>(nonlinear.size(), 4); ++k)
      header_.num_complementarities += nonlinear[k];
    at_most(3, nonlinear[0], header_.num_constraints, "nonlinear constraints");
    at_most(3, nonlinear[1], header_.num_objectives, "nonlinear objectives");
    const auto network = counts(2, "network constraints");
    at_most(4, network[0] + network[1], header_.num_constraints, "network constraints");
    const auto in = counts(2, "nonlinear variables in constraints, objectives");
    header_.num_nonlinear_variables = std::max(in[0], in[1]);
    at_most(5, header_.num_nonlinear_variables, header_.num_variables, "nonlinear variables");
    const auto arithmetic = counts(2, "linear network variables, functions");
    header_.num_functions = arithmetic[1];
    if (arithmetic.size() > 2) at_most(6, arithmetic[2], 2, "as the kind of arithmetic");
    // Files of before 1993 say less.
    const auto discrete = counts(in.size() > 2 ? 5 : 2, "discrete variables");
    header_.num_integer_variables = std::accumulate(discrete.begin(), discrete.end(), 0);
    at_most(7, header_.num_integer_variables, header_.num_variables, "discrete variables");
    const auto nonzeros = counts(2, "nonzeros in Jacobian, objective gradients");
    header_.num_jacobian_nonzeros = nonzeros[0];
    const double most = static_cast<double>(header_.num_variables) * header_.num_constraints;
    if (nonzeros[0] > most) at_most(8, nonzeros[0], static_cast<int>(most), "Jacobian nonzeros");
    counts(2, "lengths of names");
    const auto common = counts(5, "common expressions");
    header_.num_common_expressions = std::accumulate(common.begin(), common.end(), 0);
    return header_;
  }

 private:
  void read_first_line() {
    const std::string_view line = scanner_.take_line();
    if (line.empty() || std::string_view("gGbB").find(line[0]) == std::string_view::npos)
      scanner_.fail_at(1,
                       "is no .nl file of AMPL's: it begins with neither g (text) nor b (binary)");
    header_.is_binary = line[0] == 'b' || line[0] == 'B';
    const auto numbers = numbers_of(line.substr(1));
    const double count = numbers.empty() ? 0.0 : numbers[0];
    if (count < 0.0 || count > 9.0 || count != std::floor(count) ||
        numbers.size() < static_cast<std::size_t>(count) + 1)
      scanner_.fail_at(1, "the first line announces " + std::to_string(count) +
                              " options and has " +
                              std::to_string(numbers.empty() ? 0 : numbers.size() - 1));
    const auto last = numbers.begin() + 1 + static_cast<std::ptrdiff_t>(count);
    if (!numbers.empty()) header_.options.assign(numbers.begin() + 1, last);
    if (header_.options.size() > 1 && header_.options[1] == 3 && last != numbers.end())
      header_.bound_tolerance = *last;
  }

  /// Whole numbers >= 0 of the next line, at least `least` of them.
  std::vector<int> counts(std::size_t least, const std::string& what) {
    ++line_;
    if (scanner_.remaining() == 0) scanner_.fail_at(line_, "the file ends within its header");
    std::vector<int> result;
    for (const double v : numbers_of(scanner_.take_line())) {
      if (!(v >= 0.0) || v > largest_count || v != std::floor(v))
        scanner_.fail_at(line_, "expected counts (" + what + "), found " + std::to_string(v));
      result.push_back(static_cast<int>(v));
    }
    if (result.size() < least)
      scanner_.fail_at(line_, "expected " + std::to_string(least) + " counts (" + what +
                                  "), found " + std::to_string(result.size()));
    return result;
  }

  void at_most(int line, int found, int most, const std::string& what) {
    if (found > most)
      scanner_.fail_at(line, std::to_string(found) + " " + what + ", and there can be " +
                                 std::to_string(most) + " at most");
  }

  detail::Scanner scanner_;
  NlHeader header_;
  int line_ = 1;
};

}  // namespace

NlHeader read_nl_header(const std::string& path) {
  constexpr std::size_t more_than_ten_lines = 4096;
  return HeaderReader(path, detail::read_text(path, more_than_ten_lines)).read();
}

}  // namespace libsolve

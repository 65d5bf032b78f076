#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/io/sol_file.hpp>

namespace libsolve {

namespace {

/// An empty line ends the message.
std::string without_empty_lines(const std::string& message) {
  std::string text;
  for (const char c : message)
    if (c != '\n' || (!text.empty() && text.back() != '\n')) text += c;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

void append_lines(std::string& text, std::span<const double> values) {
  for (const double v : values) text += format_number(v) + "\n";
}

}  // namespace

void write_sol_file(const std::string& path, const NlHeader& header, const std::string& message,
                    std::span<const double> x, std::span<const double> duals, SolveResult result,
                    int objective) {
  const auto n = static_cast<std::size_t>(header.num_variables);
  const auto m = static_cast<std::size_t>(header.num_constraints);
  if (x.size() != n || duals.size() != m)
    throw ShapeError(path + ": " + std::to_string(x.size()) + " values and " +
                     std::to_string(duals.size()) + " duals for a problem of " + std::to_string(n) +
                     " variables and " + std::to_string(m) + " constraints");
  std::string text = without_empty_lines(message) + "\n\nOptions\n";
  const bool has_tolerance = header.options.size() > 1 && header.options[1] == 3;
  text += std::to_string(header.options.size() + (has_tolerance ? 2 : 0)) + "\n";
  for (const int option : header.options) text += std::to_string(option) + "\n";
  for (const std::size_t count : {m, m, n, n}) text += std::to_string(count) + "\n";
  if (has_tolerance) text += format_number(header.bound_tolerance) + "\n";
  append_lines(text, duals);
  append_lines(text, x);
  text += "objno " + std::to_string(objective - 1) + " " +
          std::to_string(static_cast<int>(result)) + "\n";

  const std::string partial = path + ".partial";
  std::ofstream file(partial, std::ios::binary);
  file << text;
  file.close();
  if (!file || std::rename(partial.c_str(), path.c_str()) != 0) {
    const std::string why = std::strerror(errno);
    std::remove(partial.c_str());
    throw IoError("cannot write the solution to '" + path + "': " + why);
  }
}

}  // namespace libsolve

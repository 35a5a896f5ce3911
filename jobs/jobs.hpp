// All jobs of the command: each function adds one subcommand and stands in the file of its name.
#pragma once

#include "support/command.hpp"

namespace jobs {

void add_squares(CLI::App& app, command_context& context);
void add_cubes(CLI::App& app, command_context& context);
void add_divide(CLI::App& app, command_context& context);
void add_is_prime(CLI::App& app, command_context& context);
void add_sum_squares(CLI::App& app, command_context& context);
void add_factorial(CLI::App& app, command_context& context);
void add_fibonacci(CLI::App& app, command_context& context);
void add_matmul(CLI::App& app, command_context& context);
void add_image(CLI::App& app, command_context& context);
void add_sort(CLI::App& app, command_context& context);
void add_sum_cubes(CLI::App& app, command_context& context);
void add_factorials(CLI::App& app, command_context& context);
void add_primes(CLI::App& app, command_context& context);
void add_matadd(CLI::App& app, command_context& context);
void add_exec(CLI::App& app, command_context& context);

}  // namespace jobs

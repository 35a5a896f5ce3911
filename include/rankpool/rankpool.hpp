// Includes all public headers of rankpool, a process pool for MPI clusters.
#pragma once

#include <rankpool/cluster.hpp>
#include <rankpool/errors.hpp>
#include <rankpool/executor.hpp>
#include <rankpool/future.hpp>
#include <rankpool/journal.hpp>
#include <rankpool/journal_reader.hpp>
#include <rankpool/map_results.hpp>
#include <rankpool/nullary.hpp>
#include <rankpool/options.hpp>
#include <rankpool/partial.hpp>
#include <rankpool/register_exception.hpp>
#include <rankpool/run.hpp>
#include <rankpool/serialization.hpp>
#include <rankpool/shared.hpp>
#include <rankpool/this_worker.hpp>
#include <rankpool/wait.hpp>

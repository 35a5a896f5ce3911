// What compile_fail/headers precompiles for the cases.
#pragma once

#include <rankpool/rankpool.hpp>

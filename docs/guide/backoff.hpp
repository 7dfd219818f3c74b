// How long to wait before the next attempt to connect.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace guide {

using namespace std::chrono_literals;

// [backoff]
// Pauses that grow: each is drawn from zero to a ceiling, which doubles up to the longest. Drawn, so that the many
// clients of a server that comes back do not all arrive in the same instant.
struct backoff {
    static constexpr auto first_ceiling = 50ms;
    static constexpr auto longest = 500ms;

    std::chrono::milliseconds next()
    {
        const auto drawn = std::uniform_int_distribution<std::int64_t>(0, ceiling.count())(random);
        ceiling = std::min<std::chrono::milliseconds>(2 * ceiling, longest);
        return std::chrono::milliseconds(drawn);
    }

    std::chrono::milliseconds ceiling = first_ceiling;
    std::minstd_rand random{std::random_device()()};
};
// [/backoff]

} // namespace guide

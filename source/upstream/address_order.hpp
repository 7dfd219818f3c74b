// Which address of an upstream to connect to first, when its name stands for several.
#pragma once

#include "net/asio.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <vector>

namespace causeway::upstream {

/// Remembers the last address that accepted a connection, and whether the connection was of any use: an address may
/// accept connections and do nothing else. Pure; belongs to one upstream of one event loop.
class address_order {
public:
    /// A connection to `address` was made.
    void connected(const tcp::endpoint& address)
    {
        last_ = address;
        works_ = true;
    }

    /// That connection has ended, and whether it worked to the end.
    void ended(bool worked) noexcept { works_ = worked; }

    /// The network found no way to `address`, or no sign of it.
    void out_of_reach(const tcp::endpoint& address)
    {
        if (address == last_)
            works_ = false;
    }

    /// The last address that accepted a connection.
    const std::optional<tcp::endpoint>& last() const noexcept { return last_; }

    /// Puts the addresses that were found in the order in which to try them. The last one, if it worked, comes first;
    /// if one worked `recently`, it is the only one: a silent one among the others would make a short restart longer
    /// than requests can wait. If it did not work, it comes last, and those behind it first, so that each gets its
    /// turn.
    void arrange(std::vector<tcp::endpoint>& found, bool recently) const
    {
        const auto known = std::ranges::find_if(found, [this](const auto& place) { return place == last_; });
        if (known == found.end())
            return;
        if (!works_)
            std::rotate(found.begin(), std::next(known), found.end());
        else if (recently)
            found = {*last_};
        else
            std::rotate(found.begin(), known, std::next(known));
    }

private:
    std::optional<tcp::endpoint> last_;
    bool works_ = true;
};

} // namespace causeway::upstream

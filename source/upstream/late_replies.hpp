// Keys for which no request waits any more, although the reply may still come.
#pragma once

#include "net/clock.hpp"
#include "upstream/key.hpp"

#include <cstddef>
#include <deque>
#include <unordered_map>
#include <utility>

namespace causeway::upstream {

/// Where a key belongs to one request, it stays in use after the request has given up: a late reply must not reach
/// another one. That a reply came for such a key frees it no earlier, because a repeated message may get several. Pure:
/// the time is a parameter. Belongs to one event loop.
class late_replies {
public:
    /// Whether no further reply can be expected without growing for ever.
    bool full() const noexcept { return in_order_.size() >= most; }

    /// No request waits for `key` any more; its reply may come until `until`.
    void expect(const key& key, clock::time_point until)
    {
        until_.insert_or_assign(key, until);
        in_order_.emplace_back(until, key);
    }

    /// Whether a reply for `key` may still come. Each call also forgets a few keys whose time has passed, so that no
    /// call takes long.
    bool may_come_for(const key& key, clock::time_point now)
    {
        for (int count = 0; count != most_forgotten_at_once && !in_order_.empty(); ++count) {
            const auto& [until, expired] = in_order_.front();
            if (until > now)
                break;
            if (const auto found = until_.find(expired); found != until_.end() && found->second <= now)
                until_.erase(found);
            in_order_.pop_front();
        }
        const auto found = until_.find(key);
        return found != until_.end() && found->second > now;
    }

private:
    static constexpr std::size_t most = 1'000'000;
    static constexpr int most_forgotten_at_once = 16;

    std::unordered_map<key, clock::time_point, key_hash> until_;
    std::deque<std::pair<clock::time_point, key>> in_order_; // the same; a key that was expected again, twice
};

} // namespace causeway::upstream

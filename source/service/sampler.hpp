// Notes what happens in one event loop, for the live page, while somebody watches.
#pragma once

#include "admin/happenings.hpp"
#include "http/access.hpp"
#include "upstream/wire_observer.hpp"

#include <boost/circular_buffer.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::service {

/// Takes samples of the requests, at most `samples_between_sweeps` from one sweep to the next, spread as evenly as the
/// load of the time before tells; and those that were asked on the live page, all of them. What it has noted stays
/// until it is fetched; where there is no room, the oldest is dropped. If requests are logged as well, they go on to
/// the access log. Belongs to one event loop; every call is made on its thread.
class sampler final : public http::access_recorder, public upstream::wire_observer {
public:
    static constexpr std::size_t samples_between_sweeps = 16;

    sampler()
        : access_recorder(true)
    {
    }

    /// Requests, and happenings on wires, that are kept until they are fetched.
    static constexpr std::size_t most_kept = 256;

    /// From now on all requests go on to `log`, which outlives this; to nobody when it is null.
    void pass_on_to(http::access_recorder* log);

    /// A request with this id is about to be asked, and is noted whatever the load; until `forget`, or it was.
    void expect(std::string id);
    void forget(std::string_view id);

    /// Puts what has been noted into `room`, in place of what is there; it is noted no more then.
    void take(admin::happenings& room);

    bool wants_next() override { return all_are_recorded() || is_sampled(); }
    bool wants_peers() const override { return log_ != nullptr && log_->wants_peers(); }
    void make_id(std::string& id) override;
    void record(const http::access& access, std::string_view peer) override;
    void sweep() override;
    void note(upstream::wire_event what, std::string_view upstream, std::string_view detail) override;

private:
    static constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

    bool all_are_recorded() const noexcept { return log_ != nullptr || !expected_.empty(); }

    // Whether a request that was to be recorded, and has ended, is a sample.
    bool is_chosen(const http::access& access);

    // What it costs a request that is no sample.
    bool is_sampled() noexcept
    {
        ++seen_;
        return --until_next_ == 0 && take_sample();
    }
    bool take_sample() noexcept;
    bool take_expected(std::string_view id);

    http::access_recorder* log_ = nullptr;
    std::vector<std::string> expected_; // ids
    // All that began before then may have been recorded without being chosen.
    clock::time_point all_until_ = clock::now();
    std::size_t seen_ = 0;     // requests since the last sweep
    std::size_t samples_ = 0;  // of these
    std::size_t interval_ = 1; // from one sample to the next
    std::size_t until_next_ = 1;
    boost::circular_buffer<admin::sampled_request> requests_{most_kept};
    boost::circular_buffer<admin::wire_happening> wires_{most_kept};
    std::size_t dropped_ = 0;
};

} // namespace causeway::service

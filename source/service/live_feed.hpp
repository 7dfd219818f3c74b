// Brings what happens in the event loops to the live pages that watch, and the question of one to the process.
#pragma once

#include "admin/happenings.hpp"
#include "admin/live_events.hpp"
#include "admin/live_source.hpp"
#include "admin/pages.hpp"
#include "net/asio.hpp"
#include "net/clock.hpp"
#include "net/limit.hpp"
#include "service/event_loop.hpp"

#include <boost/intrusive/list.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::service {

/// While anybody watches, the event loops note what happens; it looks at them at a steady interval, and all who watch
/// are told the same. Belongs to one event loop, which is none of those; every call is made on its thread. It outlives
/// their threads, and all that it gave.
class live_feed final : public admin::live_source {
public:
    /// Each watcher holds one of the few connections of the admin pages.
    static constexpr std::size_t most_watchers = 4;

    /// And so does a request that is asked from a page, for as long as the process takes to answer it.
    static constexpr std::size_t most_questions = 4;

    static constexpr std::chrono::nanoseconds interval = std::chrono::milliseconds(250);

    /// `io` and `loops` outlive it. `listener` is where the process serves codes in plain HTTP, if it does.
    live_feed(asio::io_context& io, std::list<event_loop>& loops, const admin::facts& facts,
              admin::pages::look look_at_process, std::optional<tcp::endpoint> listener);

    std::unique_ptr<http::body_source> watch() override;
    bool can_be_asked() const noexcept override { return listener_.has_value(); }
    bool is_asked_enough() const noexcept override { return questions_.taken() == most_questions; }
    awaitable<http::outcome> ask(std::string code, steady_timer& deadline) override;

private:
    // One page. What it is told waits here while the client takes what came before; how long that may take is the
    // connection's business.
    class watcher final
        : public http::body_source,
          public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    public:
        explicit watcher(live_feed& feed)
            : feed_(feed)
        {
        }
        ~watcher() override;
        watcher(const watcher&) = delete;
        watcher& operator=(const watcher&) = delete;

        awaitable<std::string> next(steady_timer& deadline) override;

        bool is_new() const noexcept { return is_new_; }
        void tell(std::string_view events);

    private:
        live_feed& feed_;
        std::string untold_;
        steady_timer* waits_until_ = nullptr;
        bool is_new_ = true;
    };

    awaitable<> run();
    // What an event loop has noted lately. It is the loop's own while that owes it.
    struct notes {
        admin::happenings happenings = {};
        bool owed = false;
    };

    void fetch_from(event_loop& loop, notes& lately);
    void came(notes& lately);
    void tell(const admin::report& report);
    void ended();

    asio::io_context& io_;
    std::list<event_loop>& loops_;
    admin::live_event_writer writer_;
    admin::pages::look look_at_process_;
    std::optional<tcp::endpoint> listener_;
    steady_timer timer_;
    boost::intrusive::list<watcher, boost::intrusive::constant_time_size<false>> watchers_;
    std::vector<notes> notes_;             // of each loop
    std::string happened_;                 // events since the last look
    net::limit questions_{most_questions}; // that are being asked
    std::uint64_t asked_ = 0;              // questions, ever
    bool runs_ = false;
};

} // namespace causeway::service

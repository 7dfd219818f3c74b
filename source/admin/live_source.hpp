// What the live page needs of the process that it shows.
#pragma once

#include "http/handler.hpp"
#include "net/asio.hpp"

#include <memory>
#include <string>

namespace causeway::admin {

/// Belongs to the event loop of the admin pages; every call is made on its thread.
class live_source {
public:
    /// The events of a page that begins to watch, as `live_event`s; it watches for as long as it keeps them. Null when
    /// as many watch as may. What is given lasts no longer than this object.
    virtual std::unique_ptr<http::body_source> watch() = 0;

    /// Whether `ask` may be called.
    virtual bool can_be_asked() const noexcept = 0;

    /// Whether so many requests are being asked that no further one may be now.
    virtual bool is_asked_enough() const noexcept = 0;

    /// Asks the process for a code, on the port where its clients do, as one of them. Gives
    /// `{"id":"…","status":200,"body":"…"}`, with the id by which pages that watch will hear of it, or why there was no
    /// answer. Uses `deadline`, and ends soon when that is cancelled.
    virtual awaitable<http::outcome> ask(std::string code, steady_timer& deadline) = 0;

protected:
    ~live_source() = default;
};

} // namespace causeway::admin

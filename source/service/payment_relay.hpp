// What the bridge serves: payments, passed on to a host.
#pragma once

#include "http/handler.hpp"
#include "net/worth_a_line.hpp"
#include "protocols/iso8583/http.hpp"
#include "protocols/iso8583/protocol.hpp"
#include "upstream/pool.hpp"

#include <spdlog/spdlog.h>

#include <cstdint>
#include <utility>

namespace causeway::service {

/// Passes the message of a request to the host through `pool`, which outlives the handler and its waits.
class payment_relay final : public http::handler {
public:
    payment_relay(upstream::pool& pool, iso8583::settings settings)
        : pool_(pool)
        , settings_(std::move(settings))
    {
    }

    // The body is needed to report an unknown outcome with the data for a reversal.
    http::body_use use_of_bodies() const noexcept override { return http::body_use::kept; }

    http::reaction look_at(const http::request& request, steady_timer& deadline) override
    {
        auto question = iso8583::question_in(request, settings_);
        if (!question)
            return std::move(question).error();
        return pool_.ask(std::move(question).value(), deadline, request.trace());
    }

    void respond(const http::request& request, http::outcome&& outcome, http::response& response) override
    {
        iso8583::respond(request, outcome, settings_, response);
        const bool is_withheld = outcome && response.status != boost::beast::http::status::ok;
        if (is_withheld && net::worth_a_line(++withheld_))
            spdlog::warn(
                "a reply is for another terminal than its request, whose client learns that the outcome is unknown "
                "({} such so far)",
                withheld_);
    }

private:
    upstream::pool& pool_;
    iso8583::settings settings_;
    std::uint64_t withheld_ = 0; // replies
};

} // namespace causeway::service

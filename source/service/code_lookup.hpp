// What the bridge serves: codes, looked up upstream.
#pragma once

#include "http/handler.hpp"
#include "protocols/codes/http.hpp"
#include "protocols/codes/protocol.hpp"
#include "upstream/pool.hpp"

#include <utility>

namespace causeway::service {

/// Looks up the code that a request asks for in `pool`, which outlives the handler and its waits.
class code_lookup final : public http::handler {
public:
    explicit code_lookup(upstream::pool& pool)
        : pool_(pool)
    {
    }

    http::reaction look_at(const http::request& request, steady_timer& deadline) override
    {
        auto code = codes::code_in(request);
        if (!code)
            return std::move(code).error();
        return pool_.ask(codes::question_for(*code), deadline, request.trace());
    }

    void respond(const http::request&, http::outcome&& outcome, http::response& response) override
    {
        codes::respond(outcome, response);
    }

private:
    upstream::pool& pool_;
};

} // namespace causeway::service

// ISO 8583 as the bridge and its host were told to speak it.
#pragma once

#include "backend/iso8583_responder.hpp"
#include "protocols/iso8583/dialect.hpp"
#include "protocols/iso8583/protocol.hpp"
#include "service/settings.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace causeway::service {

/// The dialect of this name that comes with the program, or that this file describes. Throws `std::runtime_error` that
/// says what is wrong, with the line of the file.
iso8583::dialect dialect_of(const std::string& name_or_file);

/// What the options stand for. Throws as `dialect_of` does, and also when the dialect has no words for the bridge's own
/// messages.
iso8583::settings payments_in(const iso8583_settings& options);

/// The same for an emulated host.
backend::host_settings host_settings_in(const iso8583_wire& options);

/// A purchase to try the bridge with, as JSON, made at `now`; empty when the dialect has no words for it.
std::string example_of_a_purchase(const iso8583::settings& payments, std::chrono::system_clock::time_point now);

} // namespace causeway::service

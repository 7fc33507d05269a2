// The handlers of CLIENT's subcommands on client-side caching; client.cc declares them.
#pragma once

namespace pinyon {

class Call;

void ClientTracking(Call& call);
void ClientCaching(Call& call);
void ClientGetRedir(Call& call);
void ClientTrackingInfo(Call& call);

}  // namespace pinyon

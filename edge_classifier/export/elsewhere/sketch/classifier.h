// Runs the model in model.h by TensorFlow Lite Micro, with the Arduino IDE or ESP-IDF alike.

#pragma once

#include <math.h>
#include <stdint.h>

#include "model.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

struct Answer {
  int label;          // index into kLabels, of the highest score
  float score;        // 0 to 1
  float familiarity;  // 0 to 1; below kUnknownBelow it is unknown
  bool unknown;
};

class Classifier {
 public:
  // Says whether the model can be used; if not, the arena is too small or an operator is missing.
  bool Begin() {
    static tflite::MicroMutableOpResolver<kOperators> resolver;
    if (!AddOperators(resolver)) return false;
    alignas(16) static uint8_t arena[kArenaBytes];
    static tflite::MicroInterpreter interpreter(tflite::GetModel(kModel), resolver, arena,
                                                kArenaBytes);
    interpreter_ = &interpreter;
    return interpreter.AllocateTensors() == kTfLiteOk;
  }

  // Takes kInputSize * kInputSize pixels, row by row, each red, green and blue.
  bool Classify(const uint8_t* pixels, Answer* answer) {
    int8_t* input = interpreter_->input(0)->data.int8;
    for (int n = 0; n < kInputSize * kInputSize * 3; n++) input[n] = pixels[n] - 128;
    if (interpreter_->Invoke() != kTfLiteOk) return false;
    answer->label = 0;
    float entropy = 0;
    for (int n = 0; n < kClasses; n++) {
      const float score = Value(0, n);
      if (score > Value(0, answer->label)) answer->label = n;
      if (score > 0) entropy -= score * logf(score);
    }
    answer->score = Value(0, answer->label);
    answer->familiarity = 1;
    if (kReferences > 0) {
      answer->familiarity = fminf(1, fmaxf(0, Nearest() - kHesitation * entropy));
    }
    answer->unknown = answer->familiarity < kUnknownBelow;
    return true;
  }

  size_t ArenaUsed() { return interpreter_->arena_used_bytes(); }

 private:
  float Value(int output, int n) {
    const TfLiteTensor* tensor = interpreter_->output(output);
    return (tensor->data.int8[n] - tensor->params.zero_point) * tensor->params.scale;
  }

  // The mean of the highest kNeighbours similarities.
  float Nearest() {
    float nearest[kNeighbours] = {};
    for (int n = 0; n < kReferences; n++) {
      float similarity = Value(1, n);
      for (int place = 0; place < kNeighbours; place++) {
        if (similarity > nearest[place]) {
          const float smaller = nearest[place];
          nearest[place] = similarity;
          similarity = smaller;
        }
      }
    }
    float sum = 0;
    for (int place = 0; place < kNeighbours; place++) sum += nearest[place];
    return sum / kNeighbours;
  }

  tflite::MicroInterpreter* interpreter_ = nullptr;
};
